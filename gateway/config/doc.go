// Package config is what is configured: channels, groups, API keys, prices and settings as plain data, their validation,
// and the declarative file they are written in.
//
// A Config is immutable once it is handed out: whoever changes something builds a new one and validates it. The gateway
// compiles it into its snapshot, the admin server stores it and shows it. Bad values are reported as FieldErrors, each
// with the path of the field in the words of the file and, when read from a file, its line. No error shows a secret.
//
// A declarative file takes two steps. ParseFile reads YAML or JSON, without knowing anything else, into a File. File.Apply
// merges that with the current Config: objects keep their IDs, what the file no longer lists goes, what others made stays.
// Defaults of the file are set while reading, so that a Config says everything itself.
//
// Start reading at Config, then ParseFile, File.Apply and Config.Validate. A field arrives in its type, in the reader of its
// section (channelfile.go and so on), in Validate, and, as long as nothing acts on it, in the table of WithoutEffect.
package config
