import { createShrink } from "@tollgate/core/image/sharp";
import { config } from "./config.ts";

const { SHRINK_IMAGES } = config("SHRINK_IMAGES");

/** Where the stage's deployer wants it. */
export const shrink = SHRINK_IMAGES ? createShrink() : undefined;
