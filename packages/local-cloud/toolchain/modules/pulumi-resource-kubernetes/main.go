// Command pulumi-resource-kubernetes is Pulumi's Kubernetes provider. The two
// embedded files are from the provider's own module. The build copies this
// folder and adds them to the copy, so that this repository doesn't contain them.
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
