/**
 * For services that answer within milliseconds or not at all: left to itself, an AWS client waits for ever. Three tries of
 * this length fit into what a function keeps back for settling.
 */
export const shortTimeouts = { connectionTimeout: 1_000, requestTimeout: 3_000, throwOnRequestTimeout: true };

/** For images of 20 MB: the answer has to begin, and then to go on. */
export const longTimeouts = {
  connectionTimeout: 1_000,
  requestTimeout: 10_000,
  socketTimeout: 10_000,
  throwOnRequestTimeout: true,
};
