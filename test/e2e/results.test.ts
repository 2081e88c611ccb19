import { beforeAll, describe, expect, inject, test } from "vitest";
import { type ErrorBody, newCaller, picture, type Result, type TestCaller, unique, userMessage } from "./client.ts";

const stage = inject("stage");
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

  test("is 404 for another owner, and removes nothing", async () => {
    const other = await newCaller(stage);
    expect((await other.send("DELETE", `/results/${chats[1]?.id}`)).status).toBe(404);
    expect((await caller.send("GET", `/results/${chats[1]?.id}`)).status).toBe(200);
  });
});

describe("an answer larger than a DynamoDB item", () => {
  test("is kept whole", async () => {
    const owner = await newCaller(stage);
    const n = 128;
    const words = `${"wonderful ".repeat(2000)} ${unique()}`;
    const { status, body } = await owner.send<Result>("POST", "/chat", {
      n,
      messages: userMessage(words),
      logprobs: true,
      top_logprobs: 20,
    });
    expect(status).toBe(200);
    expect(JSON.stringify(body).length).toBeGreaterThan(400_000);
    expect((await owner.send("GET", `/results/${body.id}`)).body).toEqual(body);
    expect((await owner.send("DELETE", `/results/${body.id}`)).status).toBe(200);
  });
});
