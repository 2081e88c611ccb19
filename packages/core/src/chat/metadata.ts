/**
 * Metadata is the result's own. OpenAI takes it beside `store: true` alone, and answers 400 otherwise: "The 'metadata' parameter is only
 * allowed when 'store' is enabled." (langchaingo#1484, axonhub#1380; 2026-04).
 */
export const metadataStaysHere = ({ metadata, store }: { metadata?: unknown; store?: unknown }): boolean =>
  metadata != null && store !== true;
