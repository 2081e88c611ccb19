import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

export type Random = ReturnType<typeof createRandom>;

/** Draws that the seed decides. Each stream of a seed is one of its own, so that what one asks for moves no other. */
export function createRandom(seed: number, stream: string) {
  const generator = xoroshiro128plus(
    [...stream].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) | 0, seed),
  );
  const integer = (below: number) => uniformInt(generator, 0, below - 1);
  return {
    integer,
    /** True once in so many times. */
    onceIn: (times: number) => integer(times) === 0,
    pick: <T>(from: readonly [T, ...T[]]): T => from[integer(from.length)] as T,
  };
}
