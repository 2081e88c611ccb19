import { execFile } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand } from "@aws-sdk/client-s3";
import { describe, expect, test } from "vitest";
import { findClient } from "../../s3-clients/programs.ts";
import { developer, region, temporaryDir } from "./fixtures.ts";
import { bucket, startBucket } from "./s3-fixtures.ts";

const execute = promisify(execFile);
const text = "hello\n";
const awkward = "sub/b ü+c.txt";
/** More than a part of 5 MiB. */
const large = Buffer.alloc(6 * 1024 ** 2, "0123456789abcdef");

/** A bucket, a folder of files, and a way to run a client on both. */
async function startClient(program: string, fixed: (endpoint: string) => string[], env: (endpoint: string) => object) {
  const s3 = await startBucket();
  const dir = await temporaryDir();
  await mkdir(path.join(dir, "files/sub"), { recursive: true });
  await writeFile(path.join(dir, "files/a.txt"), text);
  await writeFile(path.join(dir, "files", awkward), "ü");
  await writeFile(path.join(dir, "files/large.bin"), large);
  const run = async (...args: string[]) => {
    const { PATH } = process.env;
    const { stdout } = await execute(program, [...fixed(s3.endpoint), ...args], {
      cwd: dir,
      env: { PATH, HOME: dir, LANG: "C.UTF-8", PYTHONUTF8: "1", ...env(s3.endpoint) },
    });
    return stdout;
  };
  const keys = async () => {
    const { Contents = [] } = await s3.client.send(new ListObjectsV2Command({ Bucket: bucket }));
    return Contents.map(({ Key }) => Key);
  };
  const head = (Key: string) => s3.client.send(new HeadObjectCommand({ Bucket: bucket, Key }));
  const read = (file: string) => readFile(path.join(dir, file));
  return { ...s3, run, keys, head, read };
}

const credentials = {
  AWS_ACCESS_KEY_ID: developer.accessKeyId,
  AWS_SECRET_ACCESS_KEY: developer.secretAccessKey,
  AWS_REGION: region,
  AWS_DEFAULT_REGION: region,
  AWS_EC2_METADATA_DISABLED: "true",
};

const synced = ["dir/a.txt", "dir/large.bin", `dir/${awkward}`];

/** A client that is not here is skipped, and the log says how to have it. */
function client(name: string, source: string, body: (program: string) => void): void {
  const program = findClient(name);
  if (program !== null) return void describe(name, () => body(program));
  const reason = `${name} is not here: ${source}`;
  console.log(`Skipped, as ${reason}`);
  test.skip(reason, () => {});
}

client("aws", "npm run s3-clients", (program) => {
  const start = () =>
    startClient(
      program,
      () => [],
      (endpoint) => ({ ...credentials, AWS_ENDPOINT_URL_S3: endpoint }),
    );

  test("makes the bucket that is there, syncs both ways, lists, moves, copies and removes", async () => {
    const { run, keys, read } = await start();
    expect(await run("s3", "mb", `s3://${bucket}`)).toContain(`make_bucket: ${bucket}`);
    expect(await run("s3", "ls")).toContain(bucket);
    await run("s3", "sync", "files", `s3://${bucket}/dir`);
    expect(await keys()).toEqual(synced);
    await run("s3", "sync", `s3://${bucket}/dir`, "back");
    expect(await read("back/large.bin")).toEqual(large);
    expect((await read(`back/${awkward}`)).toString()).toBe("ü");
    // Nothing to do any more.
    expect(await run("s3", "sync", "files", `s3://${bucket}/dir`)).toBe("");
    await run("s3", "cp", `s3://${bucket}/dir/large.bin`, "s3://tollgate-other/large.bin");
    await run("s3", "mv", `s3://${bucket}/dir/a.txt`, `s3://${bucket}/moved.txt`);
    expect(await keys()).toEqual([...synced.slice(1), "moved.txt"]);
    expect(await run("s3", "ls", "--recursive", `s3://${bucket}`)).toContain("moved.txt");
    await run("s3", "rm", "--recursive", `s3://${bucket}`);
    expect(await keys()).toEqual([]);
  });

  test("uploads and copies in parts, and changes metadata in place, to text that is not ASCII in RFC 2047", async () => {
    const { run, head, client } = await start();
    await run("configure", "set", "default.s3.multipart_threshold", "5MB");
    await run("configure", "set", "default.s3.multipart_chunksize", "5MB");
    await run("s3", "cp", "files/large.bin", `s3://${bucket}/large.bin`);
    await run("s3", "cp", `s3://${bucket}/large.bin`, `s3://${bucket}/copy.bin`);
    expect((await head("copy.bin")).ETag).toMatch(/-2"$/);
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: "a", Body: text }));
    await run(
      "s3",
      "cp",
      `s3://${bucket}/a`,
      `s3://${bucket}/a`,
      "--metadata",
      `prompt='=?UTF-8?B?${Buffer.from("größe, 日本").toString("base64")}?='`,
      "--metadata-directive",
      "REPLACE",
    );
    expect((await head("a")).Metadata).toEqual({ prompt: "=?UTF-8?Q?gr=C3=B6=C3=9Fe,_=E6=97=A5=E6=9C=AC?=" });
  });
});

client("s3cmd", "npm run s3-clients", (program) => {
  const start = () =>
    startClient(
      program,
      (endpoint) => [
        ...[`--access_key=${developer.accessKeyId}`, `--secret_key=${developer.secretAccessKey}`, "--config=/dev/null"],
        ...[`--host=${new URL(endpoint).host}`, `--host-bucket=${new URL(endpoint).host}`],
        ...["--no-ssl", `--region=${region}`, "--no-progress"],
      ],
      () => ({}),
    );

  test("makes the bucket that is there, syncs both ways, lists, moves, copies and removes", async () => {
    const { run, keys, read } = await start();
    await run("mb", `s3://${bucket}`);
    expect(await run("ls")).toContain(`s3://${bucket}`);
    await run("sync", "files/", `s3://${bucket}/dir/`);
    expect(await keys()).toEqual(synced);
    await run("sync", `s3://${bucket}/dir/`, "back/");
    expect(await read("back/large.bin")).toEqual(large);
    expect((await read(`back/${awkward}`)).toString()).toBe("ü");
    await run("cp", `s3://${bucket}/dir/large.bin`, `s3://${bucket}/copy.bin`);
    await run("mv", `s3://${bucket}/dir/a.txt`, `s3://${bucket}/moved.txt`);
    expect(await keys()).toEqual(["copy.bin", ...synced.slice(1), "moved.txt"]);
    await run("rm", "--recursive", "--force", `s3://${bucket}`);
    expect(await keys()).toEqual([]);
  });

  test("uploads in parts, sends metadata that is not ASCII, changes it in place, and tells of bucket and object", async () => {
    const { run, head } = await start();
    await run("put", "--multipart-chunk-size-mb=5", "files/large.bin", `s3://${bucket}/large.bin`);
    expect((await head("large.bin")).ETag).toMatch(/-2"$/);
    await run("put", "--add-header=x-amz-meta-prompt:größe", "files/a.txt", `s3://${bucket}/a.txt`);
    // It sends UTF-8, which S3 reads as ISO-8859-1.
    const read = Buffer.from(Buffer.from("größe").toString("latin1"));
    expect((await head("a.txt")).Metadata?.prompt).toBe(`=?UTF-8?B?${read.toString("base64")}?=`);
    await run("modify", "--add-header=x-amz-meta-prompt:size", `s3://${bucket}/a.txt`);
    expect((await head("a.txt")).Metadata?.prompt).toBe("size");
    expect(await run("info", `s3://${bucket}`)).toMatch(/Location:\s+us-east-1[\s\S]*Payer:\s+BucketOwner/);
    expect(await run("info", `s3://${bucket}/a.txt`)).toMatch(/SSE:\s+AES256[\s\S]*FULL_CONTROL/);
  });
});

client("boto3-python", "npm run s3-clients", (program) => {
  test("makes, uploads and copies in parts, presigns, and is told of a missing object", async () => {
    const script = `
import os, urllib.request, boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from boto3.s3.transfer import TransferConfig
s3 = boto3.client("s3", config=Config(signature_version="s3v4"))
bucket, parts = "${bucket}", TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
s3.create_bucket(Bucket=bucket)
s3.head_bucket(Bucket=bucket)
s3.upload_file("files/large.bin", bucket, "large.bin", Config=parts, ExtraArgs={"Metadata": {"prompt": "x"}})
s3.copy({"Bucket": bucket, "Key": "large.bin"}, bucket, "copy.bin", Config=parts)
url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "copy.bin"})
print(len(urllib.request.urlopen(url).read()), s3.head_object(Bucket=bucket, Key="large.bin")["Metadata"]["prompt"])
try: s3.get_object(Bucket=bucket, Key="absent")
except ClientError as error: print(error.response["Error"]["Code"])
s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "large.bin"}, {"Key": "copy.bin"}]})
print(s3.list_objects_v2(Bucket=bucket)["KeyCount"])
`;
    const { run } = await startClient(
      program,
      () => [],
      (endpoint) => ({ ...credentials, AWS_ENDPOINT_URL_S3: endpoint }),
    );
    expect((await run("-c", script)).trim().split("\n")).toEqual([`${large.length} x`, "NoSuchKey", "0"]);
  });
});

client("rclone", "apt-get install rclone, or rclone.org", (program) => {
  test("makes the bucket that is there, copies, syncs both ways, checks, touches and deletes", async () => {
    const { run, keys, read, client } = await startClient(
      program,
      () => ["--config", "rclone.conf", "--retries", "1"],
      (endpoint) => ({
        ...credentials,
        RCLONE_CONFIG_T_TYPE: "s3",
        // With "AWS", it puts the bucket's name before an IP address.
        RCLONE_CONFIG_T_PROVIDER: "Other",
        RCLONE_CONFIG_T_ENV_AUTH: "true",
        RCLONE_CONFIG_T_REGION: region,
        RCLONE_CONFIG_T_ENDPOINT: endpoint,
      }),
    );
    expect(await run("lsd", "t:")).toContain(bucket);
    await run("mkdir", `t:${bucket}`);
    await run("copy", "files", `t:${bucket}/dir`, "--s3-upload-cutoff", "5M", "--s3-chunk-size", "5M");
    expect(await keys()).toEqual(synced);
    await run("check", "files", `t:${bucket}/dir`);
    await run("sync", `t:${bucket}/dir`, "back");
    expect(await read("back/large.bin")).toEqual(large);
    // Sets the time in the object's metadata, by a copy onto itself.
    await run("touch", `t:${bucket}/dir/a.txt`);
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: "dir/a.txt" }));
    expect(await Body?.transformToString()).toBe(text);
    await run("move", `t:${bucket}/dir/a.txt`, `t:${bucket}/moved`);
    await run("delete", `t:${bucket}`);
    expect(await keys()).toEqual([]);
  });
});
