import { settleLater } from "./limits.ts";
import { settings } from "./settings.ts";

const { RESULT_TTL_DAYS, UPLOAD_TTL_DAYS } = settings;

/**
 * A settlement may wait in its queue and then among the dead letters for this long. What it needs has to be there still: the
 * result that the sweep has ended meanwhile, and an answer too large for the message.
 */
const lateSettlementDays = settleLater.deadLetterRetentionDays + 1;

const keptFor = (days: number | undefined): Record<string, string> => (days ? { RESULT_TTL_DAYS: String(days) } : {});
const outlasting = RESULT_TTL_DAYS && Math.max(RESULT_TTL_DAYS, lateSettlementDays);

/** Tells a function how long to keep the results that it ends. */
export const resultTtl = keptFor(RESULT_TTL_DAYS);
/** The same for results that a late settlement may still end otherwise. */
export const sweptResultTtl = keptFor(outlasting);

/** Days after which S3 deletes an object; undefined for never. */
export const uploadDays = UPLOAD_TTL_DAYS;
/** A day more than a result, so that none is without its answer. */
export const outputDays = outlasting && outlasting + 1;
