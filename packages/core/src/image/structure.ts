import { constants, inflateSync } from "node:zlib";

/** What a walk along a file's blocks finds. `damage` says what is wrong, and the rest does not count then. */
export interface Structure {
  width: number;
  height: number;
  frames: number;
  damage: string | null;
}

const damaged = (damage: string): Structure => ({ width: 0, height: 0, frames: 0, damage });
const cutOff = (missing: string): Structure => damaged(`it is cut off, ${missing}`);

interface Size {
  width: number;
  height: number;
}

/** The largest size that any decoder could see: each of them picks another of the sizes in a file, and bills by it. */
const largest = (...sizes: Size[]): Size => ({
  width: Math.max(0, ...sizes.map(({ width }) => width)),
  height: Math.max(0, ...sizes.map(({ height }) => height)),
});

/**
 * PNG, third edition, chapter 5: a signature, then chunks of length, type, data, checksum; IHDR first, IEND last. The frames of an
 * animated PNG (fcTL) lie inside its canvas, or a decoder may think otherwise: they count. OpenAI names animated GIFs alone as what
 * it refuses (its guide "Images and vision", November 2026), so that an animated PNG passes as the still picture in its IDAT.
 */
export function png(file: Buffer): Structure {
  if (file.length < 33) return cutOff("its header is incomplete");
  if (file.toString("latin1", 12, 16) !== "IHDR") return damaged("it does not begin with its header");
  let size: Size = { width: 0, height: 0 };
  let frames = 0;
  for (let offset = 8; offset + 12 <= file.length; offset += 12 + file.readUInt32BE(offset)) {
    const type = file.toString("latin1", offset + 4, offset + 8);
    const data = offset + 8;
    if (type === "IHDR" && data + 8 <= file.length) size = largest(size, sizeAt(file, data));
    if (type === "fcTL" && data + 20 <= file.length) {
      const { width, height } = sizeAt(file, data + 4);
      const [left, top] = [file.readUInt32BE(data + 12), file.readUInt32BE(data + 16)];
      size = largest(size, { width: left + width, height: top + height });
    }
    if (type === "IDAT") frames = 1;
    if (type === "IEND") return frames === 0 ? damaged("it has no pixels") : { ...size, frames, damage: null };
  }
  if (frames === 1 && hasEveryPixel(file)) return { ...size, frames, damage: null };
  return cutOff("its IEND chunk is missing");
}

/** Larger pictures are not unpacked to be counted: without an end they count as cut off. */
const maxUnpackedBytes = 64 * 1024 * 1024;

/** Whether the IDAT chunks of a PNG without an end hold all of its pixels: decoders show such a file (libspng does). Rare. */
function hasEveryPixel(file: Buffer): boolean {
  const data: Buffer[] = [];
  for (let offset = 8; offset + 12 <= file.length; offset += 12 + file.readUInt32BE(offset)) {
    const end = offset + 8 + file.readUInt32BE(offset);
    const isWhole = end + 4 <= file.length;
    if (isWhole && file.toString("latin1", offset + 4, offset + 8) === "IDAT")
      data.push(file.subarray(offset + 8, end));
  }
  try {
    const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: maxUnpackedBytes };
    return inflateSync(Buffer.concat(data), options).length >= unpackedBytes(file);
  } catch {
    return false;
  }
}

/** Of Adam7's seven passes: the first column and row, and the steps to the next ones. */
const passes = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** How many bytes a PNG's rows make, each led by its filter: by width, height, bit depth, colour type and interlacing. */
function unpackedBytes(file: Buffer): number {
  const { width, height } = sizeAt(file, 16);
  const channels = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[file.readUInt8(25)] ?? 4;
  const bytesOf = (columns: number, rows: number) =>
    columns === 0 ? 0 : rows * (1 + Math.ceil((columns * channels * file.readUInt8(24)) / 8));
  if (file[28] !== 1) return bytesOf(width, height);
  const sizes = passes.map(([left, top, right, down]) =>
    bytesOf(Math.ceil((width - left) / right), Math.ceil((height - top) / down)),
  );
  return sizes.reduce((total, bytes) => total + bytes, 0);
}

const sizeAt = (file: Buffer, offset: number): Size => ({
  width: file.readUInt32BE(offset),
  height: file.readUInt32BE(offset + 4),
});

/**
 * JPEG, ITU T.81 annex B: markers, most with a length. The size stands in the frame header (SOF), or its height after the first
 * scan (DNL); each scan (SOS) is followed by compressed data. Decoders skip what stands between two segments up to the next
 * marker (libjpeg, jdmarker.c), and ignore what cameras append after the end marker (EOI). A thumbnail lies inside a segment: its
 * markers do not count.
 */
export function jpeg(file: Buffer): Structure {
  let size: Size = { width: 0, height: 0 };
  let hasSize = false;
  let components = 0;
  let firstScan: number | null = null;
  // A sequential picture is whole once its one scan has ended, whatever became of the end marker.
  let isWhole = false;
  for (let offset = nextMarker(file, 2); offset + 2 <= file.length; ) {
    const marker = file.readUInt8(offset + 1);
    if (marker === 0xd9) {
      return firstScan === null ? damaged("it ends before its pixels begin") : { ...size, frames: 1, damage: null };
    }
    if (hasNoLength(marker)) {
      offset = nextMarker(file, offset + 2);
      continue;
    }
    if (offset + 4 > file.length) break;
    const length = file.readUInt16BE(offset + 2);
    if (length < 2) return damaged("its segments do not join up");
    const end = offset + 2 + length;
    if (isFrameHeader(marker) && length >= 8 && end <= file.length) {
      size = largest(size, { width: file.readUInt16BE(offset + 7), height: file.readUInt16BE(offset + 5) });
      hasSize = true;
      components = marker <= 0xc1 ? file.readUInt8(offset + 9) : 0;
    }
    if (marker === 0xdc && length >= 4 && end <= file.length) {
      size = largest(size, { width: 0, height: file.readUInt16BE(offset + 4) });
    }
    if (marker === 0xda) {
      if (!hasSize) return damaged("its pixels come before its size");
      firstScan ??= end;
    }
    offset = nextMarker(file, end);
    if (marker === 0xda && end < file.length) {
      while (isRestart(file[offset + 1])) offset = nextMarker(file, offset + 2);
      isWhole ||= offset < file.length && components > 0 && components === file[end - length + 2];
    }
  }
  if (firstScan === null) return cutOff("its pixels are missing");
  // A flipped bit among a scan's data looks like a segment, in which the end seems to lie. Decoders make a spot of it.
  const ends = isWhole || file.indexOf("\xff\xd9", firstScan, "latin1") !== -1;
  return ends ? { ...size, frames: 1, damage: null } : cutOff("its end marker is missing");
}

/**
 * Where the next marker begins, at the last of its fill bytes; the end of the file when there is none. A zero after 0xFF is data,
 * and so are the restart markers among a scan's data, which no marker of a segment resembles.
 */
function nextMarker(file: Buffer, start: number): number {
  for (let offset = file.indexOf(0xff, start); offset !== -1; offset = file.indexOf(0xff, offset + 1)) {
    const next = file[offset + 1];
    if (next !== undefined && next !== 0xff && next !== 0) return offset;
  }
  return file.length;
}

/** TEM, RST0 to RST7, and SOI. */
const hasNoLength = (marker: number): boolean => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);

const isRestart = (marker: number | undefined): boolean => marker !== undefined && marker >= 0xd0 && marker <= 0xd7;

/** SOF0 to SOF15, without the three numbers among them that mean tables: DHT, JPG and DAC. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/**
 * GIF89a specification: a screen, then extensions and images whose data come in sub-blocks, then a trailer, which may be missing.
 * A frame may be larger than the screen: some decoders grow the screen then. What is no block is skipped, as Pillow does.
 */
export function gif(file: Buffer): Structure {
  if (file.length < 13) return cutOff("its header is incomplete");
  let size: Size = { width: file.readUInt16LE(6), height: file.readUInt16LE(8) };
  let frames = 0;
  let offset = 13 + colorTableBytes(file.readUInt8(10));
  while (offset < file.length && file[offset] !== 0x3b) {
    if (file[offset] === 0x2c) {
      if (offset + 11 > file.length) return cutOff("its last frame is incomplete");
      const [left, top] = [file.readUInt16LE(offset + 1), file.readUInt16LE(offset + 3)];
      const [width, height] = [file.readUInt16LE(offset + 5), file.readUInt16LE(offset + 7)];
      size = largest(size, { width: left + width, height: top + height });
      frames += 1;
      offset = skipSubBlocks(file, offset + 11 + colorTableBytes(file.readUInt8(offset + 9)));
      if (offset > file.length) return cutOff("its last frame is incomplete");
    } else if (file[offset] === 0x21) {
      offset = skipSubBlocks(file, offset + 2);
    } else {
      offset += 1;
    }
  }
  if (frames > 0) return { ...size, frames, damage: null };
  return offset < file.length ? damaged("it has no pixels") : cutOff("its pixels are missing");
}

function colorTableBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 0x07) + 1);
}

/** The offset after a chain of sub-blocks, each led by its length; the chain ends with one of length 0. */
function skipSubBlocks(file: Buffer, start: number): number {
  let offset = start;
  while (offset < file.length && file[offset] !== 0) offset += 1 + file.readUInt8(offset);
  return offset + 1;
}

/**
 * WebP container specification: RIFF with its size, then chunks, padded to even; VP8X leads in the extended format. Its canvas and
 * the picture inside may say different sizes, and decoders differ in which they believe.
 */
export function webp(file: Buffer): Structure {
  if (file.length < 8 + file.readUInt32LE(4)) return cutOff("it is shorter than its header says");
  let size: Size = { width: 0, height: 0 };
  let frames = 0;
  const chunks = (from: number, to: number) => {
    for (let offset = from; offset + 8 <= to; ) {
      const type = file.toString("latin1", offset, offset + 4);
      const length = file.readUInt32LE(offset + 4);
      const data = file.subarray(offset + 8, offset + 8 + length);
      size = largest(size, webpSize(type, data) ?? size);
      if (type === "VP8 " || type === "VP8L") frames += 1;
      // A frame's own chunks begin after its place, size and flags.
      if (type === "ANMF") chunks(offset + 24, Math.min(to, offset + 8 + length));
      offset += 8 + length + (length % 2);
    }
  };
  chunks(12, file.length);
  if (frames === 0 || size.width === 0) return damaged("it has no pixels");
  return { ...size, frames, damage: null };
}

function webpSize(type: string, data: Buffer): Size | null {
  if (type === "VP8X" && data.length >= 10) {
    return { width: data.readUIntLE(4, 3) + 1, height: data.readUIntLE(7, 3) + 1 };
  }
  if (type === "ANMF" && data.length >= 12) {
    // Places are counted in pairs of pixels.
    return {
      width: data.readUIntLE(0, 3) * 2 + data.readUIntLE(6, 3) + 1,
      height: data.readUIntLE(3, 3) * 2 + data.readUIntLE(9, 3) + 1,
    };
  }
  if (type === "VP8L" && data.length >= 5 && data[0] === 0x2f) {
    const bits = data.readUInt32LE(1);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  if (type === "VP8 " && data.length >= 10 && data.readUIntBE(3, 3) === 0x9d012a) {
    return { width: data.readUInt16LE(6) & 0x3fff, height: data.readUInt16LE(8) & 0x3fff };
  }
  return null;
}
