import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { endOfMonth, monthOf } from "../../../packages/core/src/budget/month.ts";

describe("a budget's month", () => {
  it("is the calendar month in UTC", () => {
    expect(monthOf(new Date("2026-11-30T23:59:59.999Z"))).toBe("2026-11");
    expect(monthOf(new Date("2026-12-01T00:30:00+01:00"))).toBe("2026-11");
  });

  it("ends when the next begins, in December too", () => {
    expect(endOfMonth("2026-11")).toBe("2026-12-01T00:00:00Z");
    expect(endOfMonth("2026-12")).toBe("2027-01-01T00:00:00Z");
    expect(endOfMonth("2028-02")).toBe("2028-03-01T00:00:00Z");
  });

  it("holds every moment before its end, and none from there on", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date("2020-01-01"), max: new Date("2099-12-31"), noInvalidDate: true }),
        (when) => {
          const end = new Date(endOfMonth(monthOf(when)));
          expect(when.getTime()).toBeLessThan(end.getTime());
          expect(monthOf(new Date(end.getTime() - 1))).toBe(monthOf(when));
          expect(monthOf(end)).not.toBe(monthOf(when));
        },
      ),
    );
  });
});
