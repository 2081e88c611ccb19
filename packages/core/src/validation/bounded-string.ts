import * as z from "zod";

/** Counted as JSON Schema counts: in code points, so that an emoji is one character and not two. */
const lengthOf = (text: string): number => [...text].length;

/** A string of `min` to `max` characters. */
export const boundedString = ({ min = 0, max }: { min?: number; max: number }) =>
  z
    .string()
    .refine((text) => text.length >= min && (text.length <= max || lengthOf(text) <= max), {
      error: `Use ${min} to ${max} characters.`,
    })
    .meta({ ...(min > 0 && { minLength: min }), maxLength: max });
