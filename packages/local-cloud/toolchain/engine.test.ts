import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { pruneEngine } from "./engine.ts";

/**
 * Excerpts of the engine's files that `pruneEngine` changes or removes, by path. Each build of the toolchain proves that
 * the complete engine still compiles.
 */
const FILES: Readonly<Record<string, string>> = {
  "authhelpers/gcpauth.go": "package authhelpers\n",
  "operations/operations_aws.go": "package operations\n",
  "operations/operations_gcp.go": "package operations\n",
  "operations/resources.go": `package operations

func provider(name string) Provider {
	switch name {
	case "cloud":
		return CloudOperationsProvider(nil)
	case "aws":
		return AWSOperationsProvider(nil)
	case "gcp":
		return GCPOperationsProvider(nil)
	}
	return nil
}
`,
  "backend/diy/backend.go": `package diy

import (
	"gocloud.dev/blob"
	"gocloud.dev/blob/azureblob"  // driver for azblob://
	_ "gocloud.dev/blob/fileblob" // driver for file://
	"gocloud.dev/blob/gcsblob"    // driver for gs://
	_ "gocloud.dev/blob/s3blob"   // driver for s3://

	"github.com/pulumi/pulumi/pkg/v3/authhelpers"
)

func open() {
	mux := blob.DefaultURLMux()
	if p.Scheme == gcsblob.Scheme {
		mux, err = authhelpers.GoogleCredentialsMux()
		if err != nil {
			return err
		}
	}
	if p.Scheme == azureblob.Scheme {
		mux.RegisterBucket(azureblob.Scheme)
	}
}
`,
  "backend/diy/bucket.go": `package diy

import (
	"net/url"

	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
)

func copy() {
	before = func(as func(any) bool) error {
		var input *awss3.CopyObjectInput
		if asFunc(&input) {
			fixupS3CopySource(input)
		}
		return nil
	}
}

func fixupS3CopySource(input *awss3.CopyObjectInput) {
	url.QueryUnescape("")
}
`,
  "secrets/cloud/manager.go": `package cloud

import (
	_ "gocloud.dev/secrets/awskms" // support for awskms://
	"gocloud.dev/secrets/gcpkms"   // support for gcpkms://
)

func open() {
	switch u.Scheme {
	case gcpkms.Scheme:
		return gcpkms.Dial()
	default:
		return nil
	}
}
`,
};

let module = "";
beforeEach(async () => {
  module = await mkdtemp(path.join(tmpdir(), "engine-test-"));
  for (const [name, text] of Object.entries(FILES)) {
    await mkdir(path.dirname(path.join(module, name)), { recursive: true });
    await writeFile(path.join(module, name), text);
  }
});
afterEach(async () => {
  await rm(module, { recursive: true });
});

test("removes support for AWS, Azure and Google Cloud, and keeps local state", async () => {
  await pruneEngine(module);
  expect((await readdir(path.join(module, "operations"))).toSorted()).toEqual(["resources.go"]);
  expect(await readdir(module)).not.toContain("authhelpers");
  const left = new Map<string, string>();
  for (const name of Object.keys(FILES)) {
    left.set(name, await readFile(path.join(module, name), "utf8").catch(() => ""));
  }
  expect([...left.values()].join("\n")).not.toMatch(/aws|azure|gcs|gcp|s3|authhelpers/i);
  expect(left.get("backend/diy/backend.go")).toContain('_ "gocloud.dev/blob/fileblob"');
  expect(left.get("backend/diy/backend.go")).toContain("mux := blob.DefaultURLMux()\n}\n");
  expect(left.get("operations/resources.go")).toContain("CloudOperationsProvider");
});

test("names the file when the engine's source has changed", async () => {
  await writeFile(path.join(module, "secrets/cloud/manager.go"), "package cloud\n");
  await expect(pruneEngine(module)).rejects.toThrow(/secrets\/cloud\/manager\.go.*update engine\.ts/);
});
