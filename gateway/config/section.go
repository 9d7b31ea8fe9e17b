package config

// section is a list of named objects in the file.
type section[T any] struct {
	// present is false when the file leaves the section out, which means something else than an empty one.
	present bool
	objects []T
}

// readSection reads the objects of v, one per item. Objects are known by the path that pathOf gives them; each path stands
// once. decode makes an object without ID of an item. Reading ends early when there are errors enough.
func readSection[T any](v value, pathOf func(index int, item value) string, decode func(value) T) section[T] {
	s := section[T]{present: true}
	lines := make(map[string]int)
	for i, item := range v.items() {
		if len(v.errors) == maxFieldErrors {
			break
		}
		item.path = pathOf(i, item)
		if first, twice := lines[item.path]; twice {
			item.bad("stands twice, the first time on line %d", first)
			continue
		}
		lines[item.path] = item.line
		item.lines[item.path] = item.line
		s.objects = append(s.objects, decode(item))
	}
	return s
}

// namedPath returns the path of an object by its field "name".
func namedPath(list string) func(int, value) string {
	return func(index int, item value) string { return objectPath(list, index, item.peek("name")) }
}

// peek returns the text of a field ahead of its turn, or nothing when it has none. It notes no errors.
func (v value) peek(field string) string {
	node := v.field(field)
	if node == nil {
		return ""
	}
	ahead := newDecoder(v.lookup)
	ahead.expanded = v.expanded
	return ahead.at(field, 0, node).text()
}
