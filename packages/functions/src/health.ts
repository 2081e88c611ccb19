import { buffered } from "./http.ts";

export const handler = buffered(async () => ({ status: 200, body: { status: "ok" } }));
