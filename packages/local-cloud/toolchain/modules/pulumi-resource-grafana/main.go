// Command pulumi-resource-grafana is Grafana's Terraform provider behind
// Pulumi's bridge, with the types this project uses, named as the npm package
// @pulumiverse/grafana names them.
package main

import (
	"fmt"

	"github.com/grafana/terraform-provider-grafana/v4/pkg/provider"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
)

const name = "grafana"

// Set by the linker: the npm package's version and the Terraform provider's.
var version, upstreamVersion string

func main() {
	info := tfbridge.ProviderInfo{
		P:              shim.NewProvider(provider.Provider(upstreamVersion)),
		Name:           name,
		Version:        version,
		ResourcePrefix: name,
		Resources: map[string]*tfbridge.ResourceInfo{
			"grafana_data_source": {Tok: "grafana:oss/dataSource:DataSource"},
			"grafana_folder":      {Tok: "grafana:oss/folder:Folder"},
			"grafana_dashboard":   {Tok: "grafana:oss/dashboard:Dashboard"},
		},
	}
	info.SetAutonaming(255, "-")
	schema := fmt.Sprintf(`{"name":%q,"version":%q}`, name, version)
	tfbridge.Main(name, version, info, []byte(schema))
}
