package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"go.yaml.in/yaml/v4/plugin/loaderlimits"
)

// Bounds of a file.
const (
	// MaxFileSize is the most bytes of a declarative file.
	MaxFileSize = 8 << 20
	// maxDepth is how deep lists and mappings nest, aliases written out.
	maxDepth = 100
	// maxExtent is the most values and bytes of text of a file with its aliases written out. No file without aliases
	// reaches it.
	maxExtent = 2 * MaxFileSize
)

// parseDocument reads the one document of a YAML or JSON file. It returns nil for an empty file.
func parseDocument(data []byte) (*yaml.Node, *FieldError) {
	if len(data) > MaxFileSize {
		return nil, &FieldError{Message: "the file is larger than 8 MiB"}
	}
	if problem := checkText(data); problem != nil {
		return nil, problem
	}
	if json.Valid(data) {
		data = joinSurrogates(data)
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithPlugin(loaderlimits.New(loaderlimits.DepthValue(maxDepth))))
	if err != nil {
		return nil, syntaxError(err)
	}
	var first, second yaml.Node
	if err := loader.Load(&first); errors.Is(err, io.EOF) {
		return nil, nil
	} else if err != nil {
		return nil, syntaxError(err)
	}
	if err := loader.Load(&second); err == nil {
		return nil, &FieldError{Line: second.Line, Message: "a second document begins; the file must hold one"}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxError(err)
	}
	root := first.Content[0]
	if _, problem := (extents{}).of(root); problem != nil {
		return nil, problem
	}
	if root.Kind == yaml.ScalarNode && root.ShortTag() == tagNull && root.Value == "" {
		return nil, nil
	}
	return root, nil
}

// checkText refuses what is not UTF-8 text: the YAML library does so too, without saying where.
func checkText(data []byte) *FieldError {
	line := 1
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			return &FieldError{Line: line, Message: "is not UTF-8 text"}
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0xfffe, r == 0xffff:
			return &FieldError{Line: line, Message: "a control character stands here"}
		case r == '\n':
			line++
		}
		i += size
	}
	return nil
}

// syntaxError turns an error of the YAML library into one that shows nothing of the file but its lines.
func syntaxError(err error) *FieldError {
	var bad *yaml.LoadError
	if !errors.As(err, &bad) {
		return &FieldError{Message: "is not YAML"}
	}
	message := bad.Message
	if strings.HasPrefix(message, "unknown anchor") {
		// The library shows the name, which is a secret when a key begins with an asterisk.
		message = "an alias names no anchor before it; a text that begins with * needs quotes"
	}
	if bad.ContextMsg != "" {
		message += " " + bad.ContextMsg
		if bad.ContextMark.Line > 0 && bad.ContextMark.Line != bad.Mark.Line {
			message += " that begins on line " + strconv.Itoa(bad.ContextMark.Line)
		}
	}
	return &FieldError{Line: bad.Mark.Line, Message: message}
}

// joinSurrogates replaces each pair of \u escapes that stands for one character by the character itself. JSON knows such
// pairs (RFC 8259, section 7), YAML does not, although it reads all other JSON. data must be valid JSON; it is not changed.
func joinSurrogates(data []byte) []byte {
	if !bytes.Contains(data, []byte(`\u`)) {
		return data
	}
	joined := make([]byte, 0, len(data))
	for i := 0; i < len(data); {
		if data[i] != '\\' {
			joined = append(joined, data[i])
			i++
			continue
		}
		if r := utf16.DecodeRune(escapedUnit(data[i:]), escapedUnit(data[min(i+6, len(data)):])); r != utf8.RuneError {
			joined = utf8.AppendRune(joined, r)
			i += 12
			continue
		}
		joined = append(joined, data[i], data[i+1])
		i += 2
	}
	return joined
}

// escapedUnit returns the UTF-16 unit of the \uXXXX that data begins with, or 0.
func escapedUnit(data []byte) rune {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return 0
	}
	unit, _ := strconv.ParseUint(string(data[2:6]), 16, 16) // valid JSON has four digits here
	return rune(unit)
}

// extent is how much a node stands for when its aliases are written out.
type extent struct {
	// size counts values and bytes of text.
	size int
	// depth is 1 for a scalar.
	depth int
}

// extents remembers the extents of anchored nodes, so that each node is visited once. The zero extent means that the node
// is being measured.
type extents map[*yaml.Node]extent

// of measures node. It refuses files whose aliases stand for too much or contain themselves.
func (e extents) of(node *yaml.Node) (extent, *FieldError) {
	if node.Kind == yaml.AliasNode {
		// An anchor precedes its aliases, so it was met before.
		total := e[node.Alias]
		if total.size == 0 {
			return extent{}, &FieldError{Line: node.Line, Message: "an alias stands inside its own anchor"}
		}
		return total, nil
	}
	if node.Anchor != "" {
		e[node] = extent{}
	}
	total := extent{size: 1 + len(node.Value)}
	for _, child := range node.Content {
		part, problem := e.of(child)
		if problem != nil {
			return extent{}, problem
		}
		total.size += part.size
		total.depth = max(total.depth, part.depth)
		if total.size > maxExtent || total.depth >= maxDepth {
			return extent{}, &FieldError{Line: child.Line, Message: "the aliases up to here stand for too much text or too deep lists"}
		}
	}
	total.depth++
	if node.Anchor != "" {
		e[node] = total
	}
	return total, nil
}
