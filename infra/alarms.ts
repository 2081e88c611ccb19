import { createAlarm } from "./alarm.ts";
import { api, authorizerFunction, chat, openaiApi, vision } from "./api.ts";
import { requestDeferred, requestDeferredDlq, requestDeferredQueue } from "./deferred.ts";
import { alarms as limits, throttling } from "./limits.ts";
import { apiMetric, functionMetric, queueMetric, stageMetric } from "./metrics.ts";
import { imageUploaded, imageUploadedDlq, imageUploadedQueue } from "./pipeline.ts";
import { settings } from "./settings.ts";
import { settleLater, settleLaterDlq, settleLaterQueue } from "./settle-later.ts";
import { sweep } from "./sweep.ts";

// An alarm costs $0.10 a month for each metric that it looks at, in an expression too: 23 here, of which an account's first ten
// are free. Source: CloudWatch's prices, November 2026.

const run = (command: string) => `npx sst shell --stage ${$app.stage} -- npm run ${command}`;
const log = (event: string) => `the functions' logs (Logs Insights: filter event = "${event}")`;

createAlarm("DeadLetters", {
  happened: "Work was given up after all its tries, and lies in a dead-letter queue for 14 days.",
  means:
    "The result of an image or a request has ended as failed. Of SettleLaterDlq: an answer was paid for and is not on the ledger yet.",
  todo: `See why in ${log("image_failed")}, "request_returns" or "record_failed". When that is mended, send everything back; what is paid for is not paid for again: ${run("redrive")}`,
  metrics: [imageUploadedDlq, requestDeferredDlq, settleLaterDlq].map((dlq) =>
    queueMetric(dlq)("ApproximateNumberOfMessagesVisible", "Maximum"),
  ),
  above: 0,
});

// The age of a message counts until its third receive: after that SQS puts it to the back, and tells of the next. So this sees a
// backlog, and not what keeps failing. Source: "Available CloudWatch metrics for Amazon SQS", SQS developer guide, November 2026.
const ages = [
  { name: "ImageUploadedQueueAge", queue: imageUploadedQueue, limit: limits.queueAgeMs.imageUploaded },
  { name: "RequestDeferredQueueAge", queue: requestDeferredQueue, limit: limits.queueAgeMs.requestDeferred },
];
for (const { name, queue, limit } of ages) {
  createAlarm(name, {
    happened: `A message that was tried twice at most has waited for over ${Math.round(limit / 60_000)} minutes.`,
    means:
      "There is a backlog: more comes in than is worked on at once, or OpenAI's rate limit or the table holds the work up. Nothing is lost: a message waits for 4 days. What keeps failing is not told here, but ends in DeadLetters.",
    todo: `See on the dashboard which it is, and in ${log("record_failed")}. If OpenAI has room, raise maximumConcurrency in infra/limits.ts.`,
    metrics: [queueMetric(queue)("ApproximateAgeOfOldestMessage", "Maximum")],
    above: limit / 1000,
  });
}

createAlarm("SettlementsWaiting", {
  happened: `Messages were in SettleLaterQueue in all of ${limits.settlementsWaitingPeriods * limits.periodMinutes} minutes.`,
  means:
    "Answers were paid for that are not on the ledger yet. Each is tried again for a day, then lies in SettleLaterDlq. Nothing is lost.",
  todo: `Look at DynamoDB's health, and for the cause in ${log("record_failed")}. When that is mended, they settle by themselves within 15 minutes.`,
  // One that failed is postponed, and not visible meanwhile. By number, since of its age SQS soon tells nothing.
  metrics: ["ApproximateNumberOfMessagesVisible", "ApproximateNumberOfMessagesNotVisible"].map((metricName) =>
    queueMetric(settleLaterQueue)(metricName, "Maximum"),
  ),
  above: 0,
  periods: [limits.settlementsWaitingPeriods, limits.settlementsWaitingPeriods],
});

createAlarm("ServerErrors", {
  happened: `Over ${limits.serverErrors.percent} % of the requests of ${limits.periodMinutes} minutes were answered with 5xx.`,
  means: "If UpstreamErrors on the dashboard rise with them, OpenAI fails. If not, this stage does.",
  todo: `Look at status.openai.com, and for code and cause in ${log("request")} and status >= 500. Clients may repeat with the same Idempotency-Key.`,
  metrics: [apiMetric("5XXError"), apiMetric("Count")],
  // One of two requests at night wakes nobody.
  expression: `IF(m1 >= ${limits.serverErrors.atLeast}, 100 * m1 / m2, 0)`,
  above: limits.serverErrors.percent,
});

const { logGroup } = api.nodes;
if (!logGroup) throw new Error("SST has made no log of the API.");
// API Gateway has no metric of its own for these, and leaves lines out when it turns very many away: there are at least so many.
new aws.cloudwatch.LogMetricFilter("ApiThrottled", {
  name: "ApiThrottled",
  logGroupName: logGroup.name,
  pattern: '{ $.refused = "THROTTLED" }',
  metricTransformation: { namespace: "Tollgate", name: "ApiThrottled", value: "1", dimensions: { Stage: "$.stage" } },
});
createAlarm("ApiThrottled", {
  happened: `API Gateway turned over ${limits.apiThrottled} requests away in ${limits.periodMinutes} minutes, twice in a quarter of an hour.`,
  means: `More than ${throttling.rateLimit} requests a second came in for one route. Clients got 429 and may repeat; no function ran.`,
  todo: "See in the API's log who it is, by owner and ip. Raise throttling in infra/limits.ts if they are welcome, or revoke the key.",
  metrics: [stageMetric("ApiThrottled")],
  above: limits.apiThrottled,
  periods: [2, 3],
});

createAlarm("FunctionsThrottled", {
  happened: "Lambda had no room for a function of this stage.",
  means: "The account's concurrency is used up, by this stage or by another. Callers of the API got 500; queues wait.",
  todo: "See ConcurrentExecutions on the dashboard, and ask for more under Service Quotas: Lambda, Concurrent executions.",
  metrics: [authorizerFunction, chat, vision, openaiApi, imageUploaded, requestDeferred].map((fn) =>
    functionMetric(fn)("Throttles"),
  ),
  above: 0,
});

createAlarm("DailySpend", {
  happened: `OpenAI was paid over $${settings.DAILY_SPEND_USD} in 24 hours.`,
  means: "This tells, and stops nobody. What OpenAI did not price or account for comes on top.",
  todo: `See who it was: ${run("usage")}. Give their key a budget or revoke it (${run("keys")}); if it is right, deploy with a higher DAILY_SPEND_USD.`,
  metrics: [stageMetric("CostUsd")],
  above: settings.DAILY_SPEND_USD,
  periodMinutes: 24 * 60,
});

createAlarm("UpstreamAuth", {
  happened: "OpenAI refused this stage's key, or its account has no money left.",
  means: "Every call fails. Callers get 503; queues try again for as long as they keep a message.",
  todo: `Look at the key and the billing at platform.openai.com. A new key: npx sst secret set OpenAIApiKey --stage ${$app.stage}, then npx sst deploy --stage ${$app.stage}. Then ${run("redrive")}`,
  metrics: [stageMetric("UpstreamAuthFailures")],
  above: 0,
});

createAlarm("UnpricedModel", {
  happened: "A model or a service tier was used whose price nobody knows.",
  means:
    "Its tokens are on the ledger and its cost is not: npm run usage and the alarm DailySpend say less than OpenAI bills.",
  todo: `See which in ${log("settled")} and UnpricedRequests > 0, and deploy with its price in PRICES. Keys can be held to models: ${run("keys")}`,
  metrics: [stageMetric("UnpricedRequests")],
  above: 0,
});

// Every request to such a model counts, for a month: a period of a day makes it one mail, not one for each busy five minutes.
createAlarm("EndingModel", {
  happened: "A model was used that OpenAI ends within 30 days, or has ended.",
  means: "From that day on, every request that names the model fails with 404.",
  todo: `See which, when, and what replaces it in ${log("model_ends")}, and whose requests they are in ${log("settled")} and EndingModelRequests > 0. Tell the owners to name the replacement. If it is the stage's default model, deploy with another DEFAULT_MODEL.`,
  metrics: [stageMetric("EndingModelRequests")],
  above: 0,
  periodMinutes: 24 * 60,
});

createAlarm("SettlementsNotKept", {
  happened: "What came of a request could be written neither to the table nor to its queue.",
  means: "An answer that was paid for is lost, though its caller may have got it. The sweep counts it as unaccounted.",
  todo: `Look at DynamoDB's and SQS' health, and for the result in ${log("settlement_not_kept")}. Compare with OpenAI's usage page: ${run("audit")}`,
  metrics: [stageMetric("SettlementsNotKept")],
  above: 0,
});

createAlarm("RecoveryErrors", {
  happened: "The sweep, or the function that settles late, crashed in two of three periods of five minutes.",
  means: "What broke off stays running, and its budget stays reserved, until they work again. Nothing is lost.",
  todo: "Look into the logs of the functions Sweep and SettleLater.",
  metrics: [sweep, settleLater].map((fn) => functionMetric(fn)("Errors")),
  above: 0,
  periods: [2, 3],
});
