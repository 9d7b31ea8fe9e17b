package config

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"slices"
	"strings"
)

// File is a declarative file that has been read: sections of objects, each as the file describes it. It is immutable.
type File struct {
	hash string
	// lines leads from the path of a field to its line.
	lines    map[string]int
	channels section[Channel]
	groups   section[Group]
	apiKeys  section[APIKey]
	prices   section[Price]
	settings []change
}

// ParseFile reads a declarative file in YAML or JSON, at most MaxFileSize bytes. Texts have each ${VAR} replaced by what
// lookup finds; $${ stands for ${ itself. A nil lookup leaves texts as they are, for files that come from elsewhere.
// Values of variables are texts: they can't add fields or lists.
//
// The error is FieldErrors, in the order of lines: unknown fields, fields that stand twice, wrong types, unset variables.
// Whether the values fit each other and the rest of the configuration is found out by Apply. data is not kept.
func ParseFile(data []byte, lookup func(string) (string, bool)) (*File, error) {
	root, problem := parseDocument(data)
	if problem != nil {
		return nil, FieldErrors{problem}
	}
	f := &File{}
	d := newDecoder(lookup)
	if root != nil {
		d.at("", root.Line, root).fields(map[string]func(value){
			"channels": func(v value) { f.channels = readSection(v, namedPath("channels"), value.channel) },
			"groups":   func(v value) { f.groups = readSection(v, namedPath("groups"), value.group) },
			"api_keys": func(v value) { f.apiKeys = readSection(v, namedPath("api_keys"), value.apiKey) },
			"prices":   func(v value) { f.prices = readSection(v, pricedPath, value.price) },
			"settings": func(v value) { f.settings = v.settings() },
		})
	}
	if err := d.errors.sorted().orNil(); err != nil {
		return nil, err
	}
	f.lines = d.lines
	f.hash = fileHash(data, d.variables)
	return f, nil
}

// Hash returns a SHA-256 of the file's bytes and of the variables that it uses, in hexadecimal digits. It changes with
// every edit, and with every change of a variable.
func (f *File) Hash() string { return f.hash }

func fileHash(data []byte, variables map[string]string) string {
	h := sha256.New()
	h.Write(data)
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		io.WriteString(h, "\x00"+name+"="+variables[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// line returns the line of the field at path, else that of the nearest value around it, else 0. A section as a whole is
// around nothing: it holds objects of other sources too.
func (f *File) line(path string) int {
	for end := len(path); end > 0; end = strings.LastIndexAny(path[:end], ".[") {
		if line, found := f.lines[path[:end]]; found && strings.ContainsAny(path[:end], ".[") {
			return line
		}
	}
	return 0
}
