import { AwsJson1_0Protocol } from "@aws-sdk/core/protocols";
import { JsonCodec2 } from "@smithy/core/protocols";

/**
 * The protocol of DynamoDB's client, but for one step: what it sends and receives is JSON already, and stays as it is. The client's
 * own codec walks through every value along its operation's schema, to find binary values, of which the table has none, and
 * to add a token to a transaction, which `transact` does. That is a twentieth of a warm chat (docs/performance.md).
 */
export class PlainJsonProtocol extends AwsJson1_0Protocol {
  constructor(settings: ConstructorParameters<typeof AwsJson1_0Protocol>[0]) {
    super({
      ...settings,
      jsonCodec: new PlainJsonCodec({ jsonName: false, timestampFormat: { useTrait: true, default: 7 } }),
    });
  }
}

class PlainJsonCodec extends JsonCodec2 {
  override createSerializer() {
    let body = Buffer.of();
    return {
      write: (_schema: unknown, value: unknown) => {
        body = Buffer.from(JSON.stringify(value));
      },
      flush: () => body,
      setSerdeContext() {},
    };
  }

  override createDeserializer() {
    return {
      read: (_schema: unknown, body: string | Uint8Array) => JSON.parse(Buffer.from(body as string).toString("utf8")),
      /** Of an error's body, which was read before. */
      readObject: (_schema: unknown, value: unknown) => value,
      setSerdeContext() {},
    };
  }
}
