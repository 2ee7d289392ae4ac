import "reflect-metadata";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import * as x509 from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
/** Validity of certificates, in milliseconds: longer than any local cloud runs. */
const lifetimeMs = 365 * 24 * 3600 * 1000;

/** Subject of a certificate. */
export interface Subject {
  commonName: string;
  /** Group of the user in Kubernetes. */
  organization?: string;
  /** IP addresses of a server. */
  ips?: string[];
  /** DNS names of a server. */
  dnsNames?: string[];
}

/** Paths of a certificate and its private key. */
export interface KeyPair {
  cert: string;
  key: string;
}

/** A certificate authority, stored in one directory. */
export class Authority {
  private constructor(
    private readonly dir: string,
    private readonly certificate: x509.X509Certificate,
    private readonly key: CryptoKey,
  ) {}

  /** Opens the authority in the directory, or creates one if the directory has none. */
  static async open(dir: string): Promise<Authority> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const files = keyPairFiles(dir, "ca");
    const pem = await readFile(files.cert, "utf8").catch(() => undefined);
    if (pem !== undefined) {
      const der = x509.PemConverter.decodeFirst(await readFile(files.key, "utf8"));
      const key = await crypto.subtle.importKey("pkcs8", der, algorithm, true, ["sign"]);
      return new Authority(dir, new x509.X509Certificate(pem), key);
    }
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: "CN=k8sfv-local-cloud",
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + lifetimeMs),
      signingAlgorithm: algorithm,
      keys: keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    await writeKeyPair(files, certificate, keys.privateKey);
    return new Authority(dir, certificate, keys.privateKey);
  }

  /** Path of the CA certificate. */
  get certificateFile(): string {
    return keyPairFiles(this.dir, "ca").cert;
  }

  /** The CA certificate as PEM. */
  get certificatePem(): string {
    return this.certificate.toString("pem");
  }

  /**
   * Issues a client certificate, which is also a server certificate if the subject has `ips` or `dnsNames`. Stored as
   * `name`.crt and `name`.key.
   */
  async issue(name: string, subject: Subject): Promise<KeyPair> {
    const files = keyPairFiles(this.dir, name);
    const keys = await newKeys();
    const names = [
      ...(subject.ips ?? []).map((value) => ({ type: "ip" as const, value })),
      ...(subject.dnsNames ?? []).map((value) => ({ type: "dns" as const, value })),
    ];
    const certificate = await x509.X509CertificateGenerator.create({
      subject: [
        { CN: [subject.commonName] },
        ...(subject.organization === undefined ? [] : [{ O: [subject.organization] }]),
      ],
      issuer: this.certificate.subject,
      notBefore: new Date(Date.now() - 60_000),
      notAfter: new Date(Date.now() + lifetimeMs),
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey: this.key,
      extensions: [
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.clientAuth,
          ...(names.length > 0 ? [x509.ExtendedKeyUsage.serverAuth] : []),
        ]),
        ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
      ],
    });
    await writeKeyPair(files, certificate, keys.privateKey);
    return files;
  }
}

function keyPairFiles(dir: string, name: string): KeyPair {
  return { cert: path.join(dir, `${name}.crt`), key: path.join(dir, `${name}.key`) };
}

async function newKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

async function writeKeyPair(
  files: KeyPair,
  certificate: x509.X509Certificate,
  key: CryptoKey,
): Promise<void> {
  const der = await crypto.subtle.exportKey("pkcs8", key);
  await writeFile(files.key, x509.PemConverter.encode(der, "PRIVATE KEY"), { mode: 0o600 });
  await chmod(files.key, 0o600);
  await writeFile(files.cert, certificate.toString("pem"));
}
