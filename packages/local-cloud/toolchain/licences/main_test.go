package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const agpl = `This program is free software: you can redistribute it and/or modify it under the terms of the GNU Affero
General Public License as published by the Free Software Foundation, either version 3 of the License, or (at your
option) any later version.

This program is distributed in the hope that it will be useful, but WITHOUT ANY WARRANTY; without even the implied
warranty of MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE. See the GNU Affero General Public License for more
details.
`

const isc = `Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby
granted, provided that the above copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL
IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT,
INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN
AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR
PERFORMANCE OF THIS SOFTWARE.
`

// write creates files and package directories in a temporary directory. It returns the path of a list with a line for
// each package directory, as the command reads it.
func write(t *testing.T, files map[string]string, packages ...string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var lines []string
	for _, dir := range packages {
		path := filepath.Join(root, dir)
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.Join([]string{"example.com/m", "v1.0.0", root, path}, "\t"))
	}
	list := filepath.Join(t.TempDir(), "list")
	if err := os.WriteFile(list, []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestScan(t *testing.T) {
	for name, test := range map[string]struct {
		files    map[string]string
		packages []string
		want     []string
	}{
		"of the module":            {map[string]string{"LICENSE": isc}, []string{"."}, []string{"ISC"}},
		"of a package's folder":    {map[string]string{"LICENSE": isc, "a/COPYING": agpl}, []string{"a/b"}, []string{"AGPL-3.0-or-later", "ISC"}},
		"of a folder not compiled": {map[string]string{"LICENSE": isc, "a/COPYING": agpl}, []string{"b"}, []string{"ISC"}},
		"two files":                {map[string]string{"LICENSE-ISC": isc, "license.txt": agpl}, []string{"."}, []string{"AGPL-3.0-or-later", "ISC"}},
		"a link alone":             {map[string]string{"LICENSE": "https://www.apache.org/licenses/LICENSE-2.0"}, []string{"."}, []string{"Apache-2.0"}},
		"own words":                {map[string]string{"LICENSE": "Do as we say."}, []string{"."}, []string{unknown}},
		"terms added to a licence": {map[string]string{"LICENSE": isc + strings.Repeat("and do as we say ", 40)}, []string{"."}, []string{"ISC", unknown}},
		"none":                     {map[string]string{"license.go": isc, "LICENSE.docs": agpl}, []string{"."}, []string{noFile}},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := scan(write(t, test.files, test.packages...))
			if err != nil {
				t.Fatal(err)
			}
			if got := found["example.com/m@v1.0.0"]; !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestScanFails(t *testing.T) {
	list := filepath.Join(t.TempDir(), "list")
	if _, err := scan(list); err == nil {
		t.Error("no error for a list that isn't there")
	}
	if err := os.WriteFile(list, []byte("example.com/m\tv1"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := scan(list); err == nil {
		t.Error("no error for a line without all fields")
	}
}
