import type { BillingLedger } from "./billed.ts";
import { type Clock, dateAt } from "./clock.ts";
import { openAIError } from "./error.ts";
import { type Faults, rulesAt } from "./fault.ts";
import { objectAt } from "./parameter.ts";
import type { Traffic } from "./traffic.ts";

/** What `/_control/` drives: no part of OpenAI, no key needed. */
export interface ControlDeps {
  faults: Faults;
  ledger: BillingLedger;
  traffic: Traffic;
  clock: Clock;
}

/** @returns the JSON answer to `METHOD /_control/…` @throws OpenAIError 404, or 400 for a rule that makes no sense */
export function control(
  { faults, ledger, traffic, clock }: ControlDeps,
  method: string,
  path: string,
  body: unknown,
): object {
  switch (`${method} ${path}`) {
    case "POST /_control/faults":
      faults.add(rulesAt(body));
      return { data: faults.list() };
    case "GET /_control/faults":
      return { data: faults.list() };
    case "DELETE /_control/faults":
      faults.clear();
      return { data: [] };
    case "GET /_control/billed":
      return ledger.report();
    case "DELETE /_control/billed":
      ledger.reset();
      return ledger.report();
    case "GET /_control/requests":
      return traffic.report();
    case "DELETE /_control/requests":
      traffic.reset();
      return traffic.report();
    case "POST /_control/clock":
      clock.set(dateAt(objectAt(body, "clock").now, "now"));
      return { now: clock.now().toISOString() };
    case "DELETE /_control/clock":
      clock.set(null);
      return { now: clock.now().toISOString() };
    default:
      throw openAIError(404, `No such control: ${method} ${path}`);
  }
}
