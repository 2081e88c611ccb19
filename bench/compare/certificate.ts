import { generate } from "selfsigned";

/** In PEM. */
export interface Certificate {
  key: string;
  cert: string;
}

/** Of 127.0.0.1, for an hour or so, on the curve that OpenAI's and AWS's own certificates are on. */
export async function createCertificate(): Promise<Certificate> {
  const { private: key, cert } = await generate([{ name: "commonName", value: "127.0.0.1" }], {
    keyType: "ec",
    curve: "P-256",
    extensions: [
      { name: "basicConstraints", cA: true },
      { name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] },
    ],
  });
  return { key, cert };
}
