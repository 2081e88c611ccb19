import { defineConfig } from "vitest/config";

const timeouts = { testTimeout: 60_000, hookTimeout: 120_000 };

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], ...timeouts } },
      { test: { name: "integration", include: ["test/integration/**/*.test.ts"], ...timeouts } },
      { test: { name: "infra", include: ["test/infra/**/*.test.ts"], ...timeouts } },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          exclude: ["test/e2e/restart.test.ts"],
          globalSetup: "test/e2e/running-stage.ts",
          setupFiles: "test/e2e/refusals.ts",
          // One simulated OpenAI serves all, and tests count what it billed.
          fileParallelism: false,
          ...timeouts,
        },
      },
      {
        test: {
          name: "fault",
          include: ["test/fault/**/*.test.ts"],
          exclude: ["test/fault/model.test.ts"],
          fileParallelism: false,
          ...timeouts,
        },
      },
      // A minute each, and none of it with the stage that the other files share: beside other files.
      {
        test: {
          name: "apart",
          include: ["test/e2e/restart.test.ts", "test/fault/model.test.ts"],
          ...timeouts,
        },
      },
    ],
  },
});
