/// <reference path="./.sst/platform/config.d.ts" />

export default $config({
  app(input) {
    const production = input.stage === "production";
    return {
      name: "tollgate",
      home: "aws",
      protect: production,
      removal: production ? "retain" : "remove",
      providers: { aws: { region: (process.env.AWS_REGION ?? "us-east-1") as aws.Region } },
    };
  },

  async run() {
    const { images, ledger } = await import("./infra/storage.ts");
    const { imageUploadedDlq, imageUploadedQueue } = await import("./infra/pipeline.ts");
    const { api } = await import("./infra/api.ts");
    await import("./infra/sweep.ts");
    const { isWatched } = await import("./infra/settings.ts");
    if (isWatched) {
      await import("./infra/alarms.ts");
      await import("./infra/dashboard.ts");
    }

    return {
      api: api.url,
      table: ledger.name,
      bucket: images.name,
      queue: imageUploadedQueue.nodes.queue.name,
      dlq: imageUploadedDlq.nodes.queue.name,
    };
  },
});
