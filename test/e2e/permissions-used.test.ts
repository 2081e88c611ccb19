import { expect, inject, test } from "vitest";
import { committedManifest } from "../infra/stage.ts";
import { unusedPermissions } from "./permissions.ts";

// Runs after every other end-to-end test (vitest.config.ts); with only some of them there is nothing to tell.
test.skipIf(!inject("everyFileRuns"))(
  "every permission of every function has been used by an end-to-end test",
  async () => {
    const unused = unusedPermissions(await committedManifest(), inject("usedPermissions"));
    expect(unused.map(({ function: name, action, resource }) => `${name}: ${action} on ${resource}`)).toEqual([]);
  },
);
