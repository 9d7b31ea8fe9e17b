package config

import (
	"reflect"
	"slices"
)

// Apply returns the configuration that the file makes of current, and whether that is another one. It returns current
// itself when the file is the one that was applied last, or brings nothing new.
//
// Sections that the file leaves out stay as they are. In the others, objects that a file made and this one no longer lists
// are removed; objects made elsewhere stay, and a file object of the same name is an error. Objects are matched by name
// (prices by model and channel) and keep their ID; those that change carry the new revision. Settings change field by
// field. The error is FieldErrors, with the lines of the file where the fault is in the file.
//
// Neither f nor current is changed; next shares what did not change.
func (f *File) Apply(current *Config) (next *Config, changed bool, err error) {
	if f.hash == current.FileHash {
		return current, false, nil
	}
	next = &Config{Revision: current.Revision + 1, FileHash: f.hash, Settings: current.Settings}
	m := merger{file: f, revision: next.Revision}
	next.Channels = merge(&m, channelKind, f.channels, current.Channels)
	next.Groups = merge(&m, groupKind, f.groups, current.Groups)
	next.APIKeys = merge(&m, apiKeyKind, f.apiKeys, current.APIKeys)
	next.Prices = merge(&m, priceKind, f.prices, current.Prices)
	for _, change := range f.settings {
		change(&next.Settings)
	}
	if err := m.errors.sorted().orNil(); err != nil {
		return nil, false, err
	}
	if sameContent(current, next) {
		return current, false, nil
	}
	if err := f.locate(next.Validate()); err != nil {
		return nil, false, err
	}
	return next, true, nil
}

// sameContent says whether two configurations differ in no more than revision and hash.
func sameContent(a, b *Config) bool {
	return sameItems(a.Channels, b.Channels) && sameItems(a.Groups, b.Groups) && sameItems(a.APIKeys, b.APIKeys) &&
		sameItems(a.Prices, b.Prices) && reflect.DeepEqual(a.Settings, b.Settings)
}

func sameItems[T any](a, b []T) bool { return len(a) == 0 && len(b) == 0 || reflect.DeepEqual(a, b) }

// locate adds the lines of the file to the errors of Validate.
func (f *File) locate(err error) error {
	bad, _ := err.(FieldErrors)
	for _, field := range bad {
		field.Line = f.line(field.Path)
	}
	return bad.sorted().orNil()
}

// merger is one run of Apply.
type merger struct {
	file *File
	// revision is that of the objects that change.
	revision uint64
	errors   FieldErrors
}

// kind is what merge must know of a kind of object.
type kind[T any] struct {
	// path returns the path of an object, by which it is also matched. index is used for objects without a name.
	path   func(index int, object *T) string
	object func(object *T) *Object
	// adopt gives the parts of an object the identity they had in before, which is nil for a new object. It must not
	// change what object shares with the file. A nil adopt stands for parts without identity.
	adopt func(object, before *T)
}

var (
	channelKind = kind[Channel]{
		path:   func(i int, c *Channel) string { return objectPath("channels", i, c.Name) },
		object: func(c *Channel) *Object { return &c.Object },
		adopt:  adoptKeys,
	}
	groupKind = kind[Group]{
		path:   func(i int, g *Group) string { return objectPath("groups", i, g.Name) },
		object: func(g *Group) *Object { return &g.Object },
	}
	apiKeyKind = kind[APIKey]{
		path:   func(i int, k *APIKey) string { return objectPath("api_keys", i, k.Name) },
		object: func(k *APIKey) *Object { return &k.Object },
	}
	priceKind = kind[Price]{
		path:   pricePath,
		object: func(p *Price) *Object { return &p.Object },
	}
)

// merge returns the objects of a section after the file: those made elsewhere in their order, then the file's in its own.
func merge[T any](m *merger, k kind[T], s section[T], current []T) []T {
	if !s.present {
		return current
	}
	var next []T
	before := make(map[string]*T, len(current))
	for i := range current {
		before[k.path(i, &current[i])] = &current[i]
		if k.object(&current[i]).Managed != ManagedByFile {
			next = append(next, current[i])
		}
	}
	for i, object := range s.objects {
		path := k.path(i, &object)
		old := before[path]
		if old != nil && k.object(old).Managed != ManagedByFile {
			m.errors.add(path, m.file.line(path), "an object of this name was made outside the file; rename or remove one of them")
			continue
		}
		k.settle(&object, old, m.revision)
		next = append(next, object)
	}
	return next
}

// settle gives object the identity of old, nil for a new one, and revision unless nothing changed.
func (k kind[T]) settle(object, old *T, revision uint64) {
	if k.adopt != nil {
		k.adopt(object, old)
	}
	if old == nil {
		*k.object(object) = Object{ID: NewID(), Revision: revision, Managed: ManagedByFile}
		return
	}
	*k.object(object) = *k.object(old)
	if !reflect.DeepEqual(object, old) {
		k.object(object).Revision = revision
	}
}

// adoptKeys gives the keys of a channel the IDs they had: by name and secret, else by name, else by secret.
func adoptKeys(c, before *Channel) {
	c.Keys = slices.Clone(c.Keys)
	var free []Key
	if before != nil {
		free = slices.Clone(before.Keys)
	}
	for _, same := range []func(a, b *Key) bool{
		func(a, b *Key) bool { return a.Name == b.Name && a.Secret == b.Secret },
		func(a, b *Key) bool { return a.Name == b.Name && a.Name != "" },
		func(a, b *Key) bool { return a.Secret == b.Secret },
	} {
		for i := range c.Keys {
			at := slices.IndexFunc(free, func(old Key) bool { return c.Keys[i].ID == "" && same(&c.Keys[i], &old) })
			if at >= 0 {
				c.Keys[i].ID = free[at].ID
				free = slices.Delete(free, at, at+1)
			}
		}
	}
	for i := range c.Keys {
		if c.Keys[i].ID == "" {
			c.Keys[i].ID = NewID()
		}
	}
}
