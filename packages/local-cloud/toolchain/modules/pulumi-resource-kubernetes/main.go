// Command pulumi-resource-kubernetes is Pulumi's Kubernetes provider. The two
// embedded files lie in the provider's own module: the build works on a copy
// of this folder and lays them there, so that none is kept in this repository.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/provider"
)

//go:embed schema.json
var schema []byte

//go:embed terraform-mapping.json
var mapping []byte

// Set by the linker: the npm package's version.
var version string

func main() {
	provider.Serve("kubernetes", version, schema, mapping)
}
