package main

import (
	"context"

	"octopus/admin"
)

// adminOptions are what the admin server shows and does: the other parts' values as it wants them.
func (s *server) adminOptions() admin.Options {
	return admin.Options{
		Token:    s.flags.AdminToken,
		Hosts:    s.flags.AdminHosts,
		Metrics:  s.writeMetrics,
		Ready:    s.gateway.Ready,
		Config:   s.configuration.get,
		Ledger:   s.ledger,
		Health:   s.targetHealth,
		Requests: s.runningRequests,
		Catalog:  s.catalogModels,
		PriceSync: func() admin.PriceSync {
			now := s.prices.Status()
			return admin.PriceSync{
				Source: now.Source, Models: now.Models, Refused: now.Refused, Tried: now.Tried, Succeeded: now.Succeeded, Err: now.Err,
			}
		},
		SyncPrices: func(ctx context.Context) error {
			_, err := s.prices.Now(ctx)
			return err
		},
		Priced: s.gateway.Priced,
		Backup: s.backup,
		Logger: s.log,
	}
}

// targetHealth returns how every target fares.
func (s *server) targetHealth() []admin.TargetHealth {
	targets := s.gateway.Targets()
	list := make([]admin.TargetHealth, len(targets))
	for i := range targets {
		t := &targets[i]
		list[i] = admin.TargetHealth{
			ChannelID: t.ChannelID, Channel: t.Channel, KeyID: t.KeyID, Key: t.Key, Model: t.Model, State: string(t.State),
			InFlight: t.InFlight, CoolingUntil: t.Until, Why: t.Why, LastError: t.LastError, LastErrorAt: t.LastErrorAt, Latency: t.Latency,
		}
	}
	return list
}

// runningRequests returns the requests that run now.
func (s *server) runningRequests() []admin.RunningRequest {
	running := s.gateway.Running()
	list := make([]admin.RunningRequest, len(running))
	for i := range running {
		list[i] = admin.RunningRequest(running[i])
	}
	return list
}

// catalogModels yields the models of the price catalog.
func (s *server) catalogModels(yield func(admin.CatalogModel) bool) {
	for m := range s.prices.Catalog().All {
		if !yield(admin.CatalogModel{
			Provider: m.Provider, Name: m.Name, Price: m.Price, ContextWindow: m.ContextWindow, MaxOutput: m.MaxOutput,
		}) {
			return
		}
	}
}

// backup copies the database, with what was recorded until now, into a directory.
func (s *server) backup(dir string) error {
	s.ledger.Flush()
	return s.store.Backup(dir)
}
