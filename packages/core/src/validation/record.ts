import * as z from "zod";

const lost = "__proto__";

/**
 * An object of names and values. zod's record leaves a value called `__proto__` out without a word, unchecked: here it is
 * refused, by name.
 */
export const recordOf = <Value extends z.ZodType>(name: z.ZodString, value: Value) =>
  z.preprocess(
    (pairs, context) => {
      if (typeof pairs === "object" && pairs !== null && Object.hasOwn(pairs, lost)) {
        context.addIssue({ code: "custom", path: [lost], message: "This name cannot be used." });
      }
      return pairs;
    },
    z.record(name.meta({ not: { const: lost } }), value),
  );
