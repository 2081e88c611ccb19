import type { ResultTable } from "@tollgate/core/result/store";
import { config, tableName } from "./config.ts";
import { dynamodb } from "./dynamodb.ts";

const { RESULT_TTL_DAYS } = config("RESULT_TTL_DAYS");

export const resultTable: ResultTable = { dynamodb, tableName: tableName(), resultTtlDays: RESULT_TTL_DAYS };
