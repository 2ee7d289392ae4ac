// Command licences identifies the licences of Go packages from the licence files next to them.
//
// It reads lines of four tab-separated fields from the file in its argument: module path, module version, module
// directory, package directory. It prints a JSON object that has, for each "path@version", the sorted SPDX
// identifiers of all licence texts between a package's directory and its module's.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// notOfCode contains extensions of files that match licenceFile but are not licences of the code, such as LICENSE.docs
// (the documentation's licence) and license.go (a source file).
var notOfCode = []string{".docs", ".go"}

// Values that are printed instead of an identifier.
const (
	noFile  = "no licence file"
	unknown = "unknown licence text"
)

// Minimum percentage of a file's words that known licence texts must cover, as on
// pkg.go.dev (golang.org/x/pkgsite/internal/licenses).
const coverage = 75

var licenceFile = regexp.MustCompile(`(?i)^((un)?licen[cs]es?|copying)([-.].*)?$`)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: licences FILE")
		os.Exit(2)
	}
	found, err := scan(os.Args[1])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(found)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func scan(list string) (map[string][]string, error) {
	file, err := os.Open(list)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	found := map[string][]string{}
	inFolder := map[string][]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Split(lines.Text(), "\t")
		if len(fields) != 4 {
			return nil, fmt.Errorf("%s: not four fields: %q", list, lines.Text())
		}
		module, root := fields[0]+"@"+fields[1], filepath.Clean(fields[2])
		for dir := filepath.Clean(fields[3]); ; dir = filepath.Dir(dir) {
			if inFolder[dir] == nil {
				if inFolder[dir], err = licencesIn(dir); err != nil {
					return nil, err
				}
			}
			found[module] = append(found[module], inFolder[dir]...)
			if dir == root || len(dir) <= len(root) {
				break
			}
		}
	}
	for module, ids := range found {
		slices.Sort(ids)
		if found[module] = slices.Compact(ids); len(ids) == 0 {
			found[module] = []string{noFile}
		}
	}
	return found, nil
}

// licencesIn returns the licences of the licence files in a directory.
func licencesIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	ids := []string{}
	for _, entry := range entries {
		if !entry.Type().IsRegular() || !licenceFile.MatchString(entry.Name()) ||
			slices.Contains(notOfCode, filepath.Ext(entry.Name())) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, err
		}
		ids = append(ids, licencesOf(text)...)
	}
	return ids, nil
}

// licencesOf returns the licences whose texts are in a file. A link to a licence
// counts only in a file without a licence text, because such texts contain links.
func licencesOf(text []byte) []string {
	covered := licensecheck.Scan(text)
	var ids, links []string
	for _, match := range covered.Match {
		if match.IsURL {
			links = append(links, match.ID)
		} else {
			ids = append(ids, match.ID)
		}
	}
	if len(ids) == 0 {
		ids = links
	} else if covered.Percent < coverage {
		ids = append(ids, unknown)
	}
	if len(ids) == 0 {
		ids = []string{unknown}
	}
	return ids
}
