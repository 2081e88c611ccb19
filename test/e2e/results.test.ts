import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { beforeAll, describe, expect, inject, test } from "vitest";
import {
  awsClients,
  type ErrorBody,
  newCaller,
  picture,
  type Result,
  type TestCaller,
  unique,
  userMessage,
} from "./client.ts";

const stage = inject("stage");
const { s3 } = awsClients(stage);
let caller: TestCaller;
const chats: Result[] = [];

beforeAll(async () => {
  caller = await newCaller(stage);
  for (let i = 0; i < 5; i++) {
    const fault = i === 2 ? "[[fault:refusal]]" : "";
    chats.push((await caller.send<Result>("POST", "/chat", { messages: userMessage(`${fault} ${unique()}`) })).body);
  }
  await caller.putImage("one.png", await picture("png"));
  await caller.finishedResults(6);
});

interface Page {
  object: "list";
  data: Result[];
  has_more: boolean;
  next_cursor: string | null;
}

const list = async (query: string) => (await caller.send<Page>("GET", `/results${query}`)).body;

describe("GET /results/{id}", () => {
  test("is what POST answered", async () => {
    const { status, body } = await caller.send("GET", `/results/${chats[0]?.id}`);
    expect(status).toBe(200);
    expect(body).toEqual(chats[0]);
  });

  test.each(["res_00000000000000000000000000", "nonsense", "%2e%2e"])("is 404 for %s", async (id) => {
    const { status, body } = await caller.send<ErrorBody>("GET", `/results/${id}`);
    expect(status).toBe(404);
    expect(body.error).toMatchObject({ code: "not_found" });
  });

  test("is 404 for the result of another owner, like one that is not there", async () => {
    const other = await newCaller(stage);
    const theirs = await other.send<ErrorBody>("GET", `/results/${chats[0]?.id}`);
    const nobodys = await other.send<ErrorBody>("GET", "/results/res_00000000000000000000000000");
    expect([theirs.status, theirs.body]).toEqual([404, nobodys.body]);
  });
});

describe("GET /results", () => {
  test("lists the owner's own, newest first", async () => {
    const { data, has_more, next_cursor } = await list("");
    expect(data).toHaveLength(6);
    expect(data[0]).toMatchObject({ kind: "vision", source: "s3" });
    expect(data.slice(1).map(({ id }) => id)).toEqual(chats.map(({ id }) => id).reverse());
    expect([has_more, next_cursor]).toEqual([false, null]);
  });

  test.each(["", "&kind=chat", "&status=succeeded"])(
    "goes through pages%s without missing or repeating one",
    async (filter) => {
      const ids: string[] = [];
      let query = `?limit=2${filter}`;
      for (;;) {
        const page = await list(query);
        expect(page.data.length).toBeLessThanOrEqual(2);
        ids.push(...page.data.map(({ id }) => id));
        expect(page.has_more).toBe(page.next_cursor !== null);
        if (!page.next_cursor) break;
        query = `?limit=2${filter}&cursor=${page.next_cursor}`;
      }
      expect(ids).toEqual((await list(`?limit=100${filter}`)).data.map(({ id }) => id));
    },
  );

  test("filters by kind and status", async () => {
    expect((await list("?kind=vision")).data).toHaveLength(1);
    expect((await list("?status=refused")).data.map(({ id }) => id)).toEqual([chats[2]?.id]);
    expect((await list("?kind=vision&status=refused")).data).toEqual([]);
  });

  test("filters by time, both ends included", async () => {
    const [first, , , , last] = chats;
    const today = first?.created_at.slice(0, 10);
    expect((await list(`?from=${today}&to=${last?.created_at.slice(0, 10)}`)).data).toHaveLength(6);
    expect((await list(`?kind=chat&from=${last?.created_at}`)).data.map(({ id }) => id)).toEqual([last?.id]);
    expect((await list(`?to=${first?.created_at}`)).data.map(({ id }) => id)).toEqual([first?.id]);
    expect((await list("?to=2020-01-01")).data).toEqual([]);
  });

  test.each([
    ["?limit=0", "limit"],
    ["?limit=101", "limit"],
    ["?limit=many", "limit"],
    ["?kind=audio", "kind"],
    ["?status=done", "status"],
    ["?from=yesterday", "from"],
    ["?cursor=garbage", "cursor"],
    ["?page=2", "page"],
  ])("refuses %s, naming %s", async (query, param) => {
    const { status, body } = await caller.send<ErrorBody>("GET", `/results${query}`);
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ code: "invalid_request", param });
  });

  test("takes no other owner's cursor for a key to their results", async () => {
    const other = await newCaller(stage);
    const { next_cursor } = await list("?limit=2");
    const { status, body } = await other.send<Page>("GET", `/results?cursor=${next_cursor}`);
    expect([status, body.data]).toEqual([200, []]);
  });
});

describe("a page of large results", () => {
  test("ends where no more fit into one answer, and goes on after it", async () => {
    const owner = await newCaller(stage);
    const results = 20;
    const asked: string[] = [];
    for (let n = 0; n < results; n++) {
      // Together more than the 6 MB of a page.
      const messages = userMessage(`[[fault:long bytes=340000]] ${unique()}`);
      asked.unshift((await owner.send<Result>("POST", "/chat", { messages })).body.id);
    }
    const pages: string[][] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const query: string = `/results?limit=${results}${cursor && `&cursor=${cursor}`}`;
      const { status, body }: { status: number; body: Page } = await owner.send<Page>("GET", query);
      expect([status, body.has_more]).toEqual([200, body.next_cursor !== null]);
      pages.push(body.data.map(({ id }) => id));
      cursor = body.next_cursor;
    }
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.flat()).toEqual(asked);
  });
});

describe("a result larger than a function may answer with at once", () => {
  test("is read, listed beside others and deleted", async () => {
    const owner = await newCaller(stage);
    const ask = async (text: string) =>
      (await owner.send<Result>("POST", "/chat", { messages: userMessage(`${text} ${unique()}`) })).body;
    const [oldest, large, newest] = [await ask(""), await ask("[[fault:long bytes=7000000]]"), await ask("")];
    expect(large?.content?.length).toBeGreaterThan(6 * 1024 * 1024);

    const read = await owner.send<Result>("GET", `/results/${large?.id}`);
    expect(read.status).toBe(200);
    expect(read.body).toEqual(large);

    const pages: string[][] = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const query: string = `/results?limit=10${cursor && `&cursor=${cursor}`}`;
      const { status, body }: { status: number; body: Page } = await owner.send<Page>("GET", query);
      expect(status).toBe(200);
      pages.push(body.data.map(({ id }) => id));
      cursor = body.next_cursor;
    }
    expect(pages).toEqual([[newest?.id], [large?.id], [oldest?.id]]);
    expect((await owner.send("DELETE", `/results/${large?.id}`)).status).toBe(200);
  });
});

describe("DELETE /results/{id}", () => {
  test("removes a result and leaves its tokens on the ledger", async () => {
    const owner = await newCaller(stage);
    const { body } = await owner.send<Result>("POST", "/chat", { messages: userMessage(unique()) });
    const before = await owner.usage();
    expect((await owner.send("DELETE", `/results/${body.id}`)).body).toEqual({
      id: body.id,
      object: "result",
      deleted: true,
    });
    expect((await owner.send("GET", `/results/${body.id}`)).status).toBe(404);
    expect(await owner.results()).toEqual([]);
    expect(await owner.usage()).toEqual(before);
  });

  test("removes the uploaded image that it is about", async () => {
    const owner = await newCaller(stage);
    await owner.putImage("seen.png", await picture("png"));
    const [result] = await owner.finishedResults(1);
    const uploads = { Bucket: stage.bucket, Prefix: `uploads/${owner.owner}/` };
    expect((await s3.send(new ListObjectsV2Command(uploads))).KeyCount).toBe(1);
    expect((await owner.send("DELETE", `/results/${result?.id}`)).status).toBe(200);
    expect((await s3.send(new ListObjectsV2Command(uploads))).KeyCount).toBe(0);
  });

  test("leaves the image that was put in its place since", async () => {
    const owner = await newCaller(stage);
    await owner.putImage("seen.png", await picture("png"));
    const [old] = await owner.finishedResults(1);
    await owner.putImage("seen.png", await picture("jpeg"));
    const newer = (await owner.finishedResults(2)).find(({ id }) => id !== old?.id);
    const uploads = { Bucket: stage.bucket, Prefix: `uploads/${owner.owner}/` };
    for (const [result, left] of [
      [old, 1],
      [newer, 0],
    ] as const) {
      expect((await owner.send("DELETE", `/results/${result?.id}`)).status).toBe(200);
      expect((await s3.send(new ListObjectsV2Command(uploads))).KeyCount).toBe(left);
    }
  });

  test("is 404 for another owner, and removes nothing", async () => {
    const other = await newCaller(stage);
    expect((await other.send("DELETE", `/results/${chats[1]?.id}`)).status).toBe(404);
    expect((await caller.send("GET", `/results/${chats[1]?.id}`)).status).toBe(200);
  });
});

describe("an answer larger than a DynamoDB item", () => {
  const stored = async (owner: TestCaller) =>
    (await s3.send(new ListObjectsV2Command({ Bucket: stage.bucket, Prefix: `outputs/${owner.owner}/` }))).KeyCount;

  test.each<[string, (prompt: string) => Promise<object>]>([
    ["/chat", async (prompt) => ({ messages: userMessage(prompt) })],
    ["/vision", async (prompt) => ({ images: [{ data: (await picture("png")).toString("base64") }], prompt })],
    ["/v1/chat/completions", async (prompt) => ({ model: "gpt-4o-mini", messages: userMessage(prompt) })],
  ])("is kept, replayed and removed whole: %s", async (path, request) => {
    const owner = await newCaller(stage);
    const body = await request(`[[fault:long bytes=400000]] ${unique()}`);
    const ask = () => owner.send<Result>("POST", path, body, { "idempotency-key": "k" });
    const [first, again] = [await ask(), await ask()];
    expect([first.status, again.status, again.headers.get("idempotent-replayed")]).toEqual([200, 200, "true"]);
    expect(JSON.stringify(first.body).length).toBeGreaterThan(400_000);
    expect(again.body).toEqual(first.body);

    const id = first.headers.get("x-tollgate-result") ?? "";
    const { body: read } = await owner.send<Result>("GET", `/results/${id}`);
    expect(JSON.stringify(first.body)).toContain(JSON.stringify(read.content));
    expect(await stored(owner)).toBe(1);
    expect((await owner.send("DELETE", `/results/${id}`)).status).toBe(200);
    expect(await stored(owner)).toBe(0);
  });
});
