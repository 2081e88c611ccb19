/** What a walk along a file's blocks finds. `damage` says what is wrong, and the rest does not count then. */
export interface Structure {
  width: number;
  height: number;
  frames: number;
  damage: string | null;
}

const damaged = (damage: string): Structure => ({ width: 0, height: 0, frames: 0, damage });
const cutOff = (missing: string): Structure => damaged(`it is cut off, ${missing}`);

/** PNG, second edition, chapter 5: a signature, then chunks of length, type, data, checksum; IHDR first, IEND last. */
export function png(file: Buffer): Structure {
  if (file.length < 33) return cutOff("its header is incomplete");
  if (file.toString("latin1", 12, 16) !== "IHDR") return damaged("it does not begin with its header");
  const size = { width: file.readUInt32BE(16), height: file.readUInt32BE(20) };
  let frames = 0;
  for (let offset = 8; offset + 12 <= file.length; offset += 12 + file.readUInt32BE(offset)) {
    const type = file.toString("latin1", offset + 4, offset + 8);
    if (type === "IDAT") frames = 1;
    if (type === "IEND") return frames === 0 ? damaged("it has no pixels") : { ...size, frames, damage: null };
  }
  return cutOff("its IEND chunk is missing");
}

/**
 * JPEG, ITU T.81 annex B: markers, most with a length. The size stands in the frame header (SOF); the first scan (SOS) is
 * followed by compressed data, in which no end marker (EOI) can occur by chance. What cameras append after it is ignored,
 * and so is the end marker of a thumbnail, which lies inside a segment.
 */
export function jpeg(file: Buffer): Structure {
  let size: { width: number; height: number } | null = null;
  let offset = 2;
  while (offset + 4 <= file.length) {
    if (file[offset] !== 0xff) return damaged("its segments do not join up");
    const marker = file.readUInt8(offset + 1);
    if (marker === 0xff) {
      offset += 1;
      continue;
    }
    if (marker === 0xd9) return damaged("it ends before its pixels begin");
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) {
      offset += 2;
      continue;
    }
    const length = file.readUInt16BE(offset + 2);
    if (length < 2) return damaged("its segments do not join up");
    const end = offset + 2 + length;
    if (isFrameHeader(marker) && length >= 8 && end <= file.length) {
      size = { width: file.readUInt16BE(offset + 7), height: file.readUInt16BE(offset + 5) };
    }
    if (marker === 0xda) {
      if (size === null) return damaged("its pixels come before its size");
      const ends = file.indexOf("\xff\xd9", end, "latin1") !== -1;
      return ends ? { ...size, frames: 1, damage: null } : cutOff("its end marker is missing");
    }
    offset = end;
  }
  return cutOff("its pixels are missing");
}

/** SOF0 to SOF15, without the three numbers among them that mean tables: DHT, JPG and DAC. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** GIF89a specification: a screen, then extensions and images whose data come in sub-blocks, then a trailer. */
export function gif(file: Buffer): Structure {
  if (file.length < 13) return cutOff("its header is incomplete");
  const size = { width: file.readUInt16LE(6), height: file.readUInt16LE(8) };
  let frames = 0;
  let offset = 13 + colorTableBytes(file.readUInt8(10));
  while (offset < file.length) {
    const block = file[offset];
    if (block === 0x3b) return frames === 0 ? damaged("it has no pixels") : { ...size, frames, damage: null };
    if (block === 0x2c && offset + 10 <= file.length) {
      frames += 1;
      offset = skipSubBlocks(file, offset + 11 + colorTableBytes(file.readUInt8(offset + 9)));
    } else if (block === 0x21) {
      offset = skipSubBlocks(file, offset + 2);
    } else {
      return damaged("its blocks do not join up");
    }
  }
  return cutOff("its trailer is missing");
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

/** WebP container specification: RIFF with its size, then chunks, padded to even; VP8X leads in the extended format. */
export function webp(file: Buffer): Structure {
  if (file.length < 8 + file.readUInt32LE(4)) return cutOff("it is shorter than its header says");
  let size: { width: number; height: number } | null = null;
  let frames = 0;
  for (let offset = 12; offset + 8 <= file.length; ) {
    const type = file.toString("latin1", offset, offset + 4);
    const length = file.readUInt32LE(offset + 4);
    size ??= webpSize(type, file.subarray(offset + 8, offset + 8 + length));
    if (type === "VP8 " || type === "VP8L" || type === "ANMF") frames += 1;
    offset += 8 + length + (length % 2);
  }
  if (size === null || frames === 0) return damaged("it has no pixels");
  return { ...size, frames, damage: null };
}

function webpSize(type: string, data: Buffer): { width: number; height: number } | null {
  if (type === "VP8X" && data.length >= 10) {
    return { width: data.readUIntLE(4, 3) + 1, height: data.readUIntLE(7, 3) + 1 };
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
