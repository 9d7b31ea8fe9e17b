package config

import "time"

// change is what the file changes in the settings; fields that it leaves out keep their value.
type change func(*Settings)

// settings reads the section "settings".
func (v value) settings() []change {
	var changes []change
	duration := func(field func(*Settings) *time.Duration) func(value) {
		return changing(&changes, field, value.duration)
	}
	text := func(field func(*Settings) *string) func(value) { return changing(&changes, field, value.text) }
	boolean := func(field func(*Settings) *bool) func(value) { return changing(&changes, field, value.boolean) }
	size := func(field func(*Settings) *int64) func(value) { return changing(&changes, field, value.byteSize) }
	v.fields(map[string]func(value){
		"log_bodies":               text(func(s *Settings) *string { return &s.LogBodies }),
		"log_retention":            duration(func(s *Settings) *time.Duration { return &s.LogRetention }),
		"log_max_size":             size(func(s *Settings) *int64 { return &s.LogMaxSize }),
		"stats_save_interval":      duration(func(s *Settings) *time.Duration { return &s.StatsSaveInterval }),
		"price_sync_interval":      duration(func(s *Settings) *time.Duration { return &s.PriceSyncInterval }),
		"price_sync_url":           text(func(s *Settings) *string { return &s.PriceSyncURL }),
		"model_sync_interval":      duration(func(s *Settings) *time.Duration { return &s.ModelSyncInterval }),
		"proxy":                    changing(&changes, func(s *Settings) *Secret { return &s.Proxy }, value.secret),
		"cors_origins":             changing(&changes, func(s *Settings) *[]string { return &s.CORSOrigins }, value.texts),
		"response_model":           text(func(s *Settings) *string { return &s.ResponseModel }),
		"relay_headers":            boolean(func(s *Settings) *bool { return &s.RelayHeaders }),
		"metrics_auth":             boolean(func(s *Settings) *bool { return &s.MetricsAuth }),
		"allow_metadata_addresses": boolean(func(s *Settings) *bool { return &s.AllowMetadataAddresses }),
		"response_store": func(v value) {
			v.fields(map[string]func(value){
				"ttl":       duration(func(s *Settings) *time.Duration { return &s.ResponseStore.TTL }),
				"max_bytes": size(func(s *Settings) *int64 { return &s.ResponseStore.MaxBytes }),
			})
		},
	})
	return changes
}

// changing returns a function that reads a value and adds the change of field to it.
func changing[T any](changes *[]change, field func(*Settings) *T, read func(value) T) func(value) {
	return func(v value) {
		to := read(v)
		*changes = append(*changes, func(s *Settings) { *field(s) = to })
	}
}
