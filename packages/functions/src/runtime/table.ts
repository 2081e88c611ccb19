import type { ResultTable } from "@tollgate/core/result/store";
import { createObserver } from "../observe.ts";
import { config, stageName, tableName } from "./config.ts";
import { dynamodb } from "./dynamodb.ts";

const { RESULT_TTL_DAYS } = config("RESULT_TTL_DAYS");

export const resultTable: ResultTable = {
  dynamodb,
  tableName: tableName(),
  resultTtlDays: RESULT_TTL_DAYS,
  observe: createObserver(stageName()),
};
