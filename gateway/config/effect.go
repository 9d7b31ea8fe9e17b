package config

// WithoutEffect returns the paths of the values that are set to something other than their default although this version
// does not act on them yet. It is empty when all is acted on. The server shows them at each apply, so that nothing is
// ignored in silence.
func (c *Config) WithoutEffect() []string {
	var paths []string
	for i := range c.Channels {
		paths = appendIdle(paths, objectPath("channels", i, c.Channels[i].Name), idle.channels, &c.Channels[i])
	}
	for i := range c.Groups {
		paths = appendIdle(paths, objectPath("groups", i, c.Groups[i].Name), idle.groups, &c.Groups[i])
	}
	return appendIdle(paths, "settings", idle.settings, &c.Settings)
}

// appendIdle appends the paths of the fields of object, which stands at path, that are set and not acted on.
func appendIdle[T any](paths []string, path string, fields []idleField[T], object *T) []string {
	if path != "" {
		path += "."
	}
	for _, field := range fields {
		if field.isSet(object) {
			paths = append(paths, path+field.name)
		}
	}
	return paths
}

// idleField is a field that is not acted on yet.
type idleField[T any] struct {
	name string
	// isSet says whether the field is something other than its default.
	isSet func(object *T) bool
}

// defaultSettings are compared with.
var defaultSettings = DefaultSettings()

// idle is the table of what is not acted on yet. The feature that acts on a field deletes its row.
var idle = struct {
	channels []idleField[Channel]
	groups   []idleField[Group]
	settings []idleField[Settings]
}{
	channels: []idleField[Channel]{
		{"model_sync", func(c *Channel) bool { return c.ModelSync != ModelSync{} }},
	},
	groups: []idleField[Group]{},
	settings: []idleField[Settings]{
		{"model_sync_interval", func(s *Settings) bool { return s.ModelSyncInterval != defaultSettings.ModelSyncInterval }},
	},
}
