package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// The tags of YAML's own types. Other tags are refused.
const (
	tagNull      = "!!null"
	tagText      = "!!str"
	tagBool      = "!!bool"
	tagInt       = "!!int"
	tagFloat     = "!!float"
	tagTimestamp = "!!timestamp"
	tagList      = "!!seq"
	tagMapping   = "!!map"
	tagMerge     = "!!merge"
)

// decoder turns the values of a file into those of a configuration. It collects bad fields instead of stopping at the
// first, and remembers the line of every field for the errors of later checks.
type decoder struct {
	// lookup finds variables; nil leaves texts as they are.
	lookup func(string) (string, bool)
	// variables holds those that were used, by name.
	variables map[string]string
	// expanded is how many bytes expanded texts have taken.
	expanded int
	// lines leads from the path of a field to its line.
	lines  map[string]int
	errors FieldErrors
}

func newDecoder(lookup func(string) (string, bool)) *decoder {
	return &decoder{lookup: lookup, variables: make(map[string]string), lines: make(map[string]int)}
}

// value is one value of the file and where it stands. Its methods return the zero value after noting what is wrong.
type value struct {
	*decoder
	path string
	line int
	// node is never an alias.
	node *yaml.Node
}

// at returns the value of node at path, which keeps its first line.
func (d *decoder) at(path string, line int, node *yaml.Node) value {
	node = resolved(node)
	if _, known := d.lines[path]; !known {
		d.lines[path] = line
	}
	return value{decoder: d, path: path, line: line, node: node}
}

// resolved returns node, or what it is an alias of.
func resolved(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// bad notes that the value is wrong.
func (v value) bad(format string, args ...any) {
	v.errors.add(v.path, v.line, fmt.Sprintf(format, args...))
}

// is notes a value of another kind than wanted, which is described by the words in want.
func (v value) is(kind yaml.Kind, want string, tags ...string) bool {
	switch tag := v.node.ShortTag(); {
	case tag == tagNull:
		v.bad("has no value; it must be %s", want)
	case v.node.Kind != kind || !slices.Contains(tags, tag):
		v.bad("must be %s", want)
	default:
		return true
	}
	return false
}

// fields reads a mapping: each of its fields by the function that bears its name.
func (v value) fields(read map[string]func(value)) {
	v.eachField("a mapping", func(key *yaml.Node, field value) {
		if decode, found := read[key.Value]; found {
			decode(field)
			return
		}
		names := slices.Sorted(maps.Keys(read))
		v.errors.add(v.path, field.line, "unknown field"+shownField(key.Value)+"; known are "+strings.Join(names, ", "))
	})
}

// shownField returns a space and the name of a field in quotes, if it looks like one of ours. Otherwise it returns nothing:
// it may be a credential that has lost its place.
func shownField(name string) string {
	if len(name) >= MinAPIKeyLength || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return ""
	}
	return " " + strconv.Quote(name)
}

// eachField calls read for each field of a mapping, with its key, a scalar.
func (v value) eachField(want string, read func(key *yaml.Node, field value)) {
	if !v.is(yaml.MappingNode, want, tagMapping) {
		return
	}
	lines := make(map[string]int, len(v.node.Content)/2)
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		key, line := resolved(v.node.Content[i]), v.node.Content[i].Line
		if key.Kind != yaml.ScalarNode || key.ShortTag() == tagNull {
			v.errors.add(v.path, line, "the name of a field must be a text")
			continue
		}
		if key.ShortTag() == tagMerge {
			v.errors.add(v.path, line, "merge keys (<<) are not supported; an alias can stand for a whole value")
			continue
		}
		if first, twice := lines[key.Value]; twice {
			v.errors.add(v.path, line, fmt.Sprintf("the field%s stands twice, the first time on line %d", shownField(key.Value), first))
			continue
		}
		lines[key.Value] = line
		read(key, v.at(fieldPath(v.path, key.Value), line, v.node.Content[i+1]))
	}
}

// isMapping says whether the value is a mapping, for fields that take one or something shorter.
func (v value) isMapping() bool { return v.node.Kind == yaml.MappingNode }

// needs notes that a field of a mapping is left out. A field that is given notes its own errors.
func (v value) needs(field string) {
	if v.isMapping() && v.field(field) == nil {
		v.errors.add(fieldPath(v.path, field), v.line, "must be given")
	}
}

// field returns the node of a field, or nil when the value has no such field.
func (v value) field(name string) *yaml.Node {
	if !v.isMapping() {
		return nil
	}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		if key := resolved(v.node.Content[i]); key.Kind == yaml.ScalarNode && key.Value == name {
			return v.node.Content[i+1]
		}
	}
	return nil
}

// fieldPath is the path of a field of the mapping at path. Only the top of the file has the empty path. A field whose name
// is more than letters, digits, hyphens and underscores has the path of the mapping: its name may be anything.
func fieldPath(path, field string) string {
	const longest = 64
	if field == "" || len(field) > longest {
		return path
	}
	for i := range len(field) {
		if !isAlphanumeric(field[i]) && field[i] != '-' && field[i] != '_' {
			return path
		}
	}
	if path == "" {
		return field
	}
	return path + "." + field
}

// items returns the items of a list.
func (v value) items() []value {
	if !v.is(yaml.SequenceNode, "a list; [] is the empty one", tagList) {
		return nil
	}
	items := make([]value, len(v.node.Content))
	for i, node := range v.node.Content {
		items[i] = v.at(itemPath(v.path, i), node.Line, node)
	}
	return items
}

// texts reads a list of texts. The empty list is nil.
func (v value) texts() []string {
	var texts []string
	for _, item := range v.items() {
		texts = append(texts, item.text())
	}
	return texts
}

// name reads the text by which an object is known.
func (v value) name() string {
	name, ok := v.readText()
	if problem := nameProblem(name, maxModelName); ok && problem != "" {
		v.bad("%s", problem)
	}
	return name
}

// text reads a text and expands its variables.
func (v value) text() string {
	text, _ := v.readText()
	return text
}

// secret reads a text that must not be shown.
func (v value) secret() Secret { return Secret(v.text()) }

// readText is text, and tells whether all is well.
func (v value) readText() (text string, ok bool) {
	if v.node.Kind == yaml.ScalarNode && slices.Contains([]string{tagInt, tagFloat, tagBool, tagTimestamp}, v.node.ShortTag()) {
		v.bad("must be a text; put it in quotes")
		return "", false
	}
	if !v.is(yaml.ScalarNode, "a text", tagText) {
		return "", false
	}
	return v.expand()
}

// expand returns the text of a node with tag !!str, its variables replaced.
func (v value) expand() (expanded string, ok bool) {
	if v.lookup == nil || !strings.Contains(v.node.Value, "${") {
		return v.node.Value, true
	}
	text, err := expand(v.node.Value, MaxFileSize-v.expanded, func(name string) (string, bool) {
		found, set := v.lookup(name)
		if set {
			v.variables[name] = found
		}
		return found, set
	})
	if err != nil {
		v.bad("%s", err)
		return "", false
	}
	v.expanded += len(text)
	return text, true
}

// plain reads a value that stands without quotes: one with such a tag, or one that comes out of a variable.
func (v value) plain(want string, tags ...string) (text string, ok bool) {
	variable := v.lookup != nil && v.node.Kind == yaml.ScalarNode && v.node.ShortTag() == tagText && strings.Contains(v.node.Value, "${")
	if variable {
		return v.expand()
	}
	if !v.is(yaml.ScalarNode, want, tags...) {
		return "", false
	}
	return v.node.Value, true
}

func (v value) boolean() bool {
	const want = "true or false"
	text, ok := v.plain(want, tagBool)
	if !ok {
		return false
	}
	switch strings.ToLower(text) {
	case "true":
		return true
	case "false":
		return false
	}
	v.bad("must be %s", want)
	return false
}

func (v value) integer() int {
	const want = "a whole number"
	text, ok := v.plain(want, tagInt)
	if !ok {
		return 0
	}
	number, err := strconv.Atoi(text)
	if err != nil || strconv.Itoa(number) != text {
		v.bad("must be %s, in decimal digits", want)
		return 0
	}
	return number
}

// decimal reads a number without sign, times 10 to the power of places, exactly.
func (v value) decimal(places int) int64 {
	text, ok := v.plain("a decimal number", tagInt, tagFloat)
	if !ok {
		return 0
	}
	number, problem := parseDecimal(text, places)
	if problem != "" {
		v.bad("%s", problem)
	}
	return number
}

func (v value) duration() time.Duration {
	const want = "a duration with its unit such as 300ms, 10s or 24h"
	text, ok := v.plain(want, tagText, tagInt)
	if !ok {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		v.bad("must be %s", want)
	}
	return d
}

// byteSize reads a number of bytes.
func (v value) byteSize() int64 {
	text, ok := v.plain("a size such as 256MiB or 10GiB", tagText, tagInt)
	if !ok {
		return 0
	}
	size, problem := ParseByteSize(text)
	if problem != "" {
		v.bad("%s", problem)
	}
	return size
}

func (v value) timestamp() time.Time {
	const want = "a time such as 2027-01-01T00:00:00Z"
	text, ok := v.plain(want, tagText, tagTimestamp)
	if !ok {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		v.bad("must be %s", want)
	}
	return t.UTC()
}

// prefix reads an address range, or a single address.
func (v value) prefix() netip.Prefix {
	const want = "an address or a range such as 10.0.0.0/8"
	text, ok := v.plain(want, tagText)
	if !ok {
		return netip.Prefix{}
	}
	if address, err := netip.ParseAddr(text); err == nil && address.Zone() == "" {
		return canonicalPrefix(netip.PrefixFrom(address, address.BitLen()))
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		v.bad("must be %s", want)
		return netip.Prefix{}
	}
	return canonicalPrefix(prefix)
}

// sha256 reads a hash in hexadecimal digits.
func (v value) sha256() (hash [sha256.Size]byte) {
	text, ok := v.readText()
	if !ok {
		return hash
	}
	if n, err := hex.Decode(hash[:], []byte(text[:min(len(text), 2*len(hash))])); err != nil || n != len(hash) || len(text) != 2*n {
		v.bad("must be 64 hexadecimal digits")
	}
	return hash
}
