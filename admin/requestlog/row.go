package requestlog

import (
	"errors"
	"net/netip"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"octopus/codec/llm"
	"octopus/gateway/outcome"
)

// Row is one row of the ledger.
type Row struct {
	// Number orders rows by when they were written; it is unique and never used again.
	Number uint64
	outcome.Outcome
}

// The numbers of a row's fields on disk (Protocol Buffers' wire format). A number is never given a new meaning.
const (
	rowID = iota + 1
	rowStart
	rowProtocol
	rowOperation
	rowStream
	rowRequested
	rowGroup
	rowGroupID
	rowAPIKeyID
	rowAPIKeyName
	rowClient
	rowStatus
	rowClass
	rowMessage
	rowAttempt
	rowFirstToken
	rowTotal
	rowKnowledge
	rowInput
	rowCacheRead
	rowCacheWrite5m
	rowCacheWrite1h
	rowOutput
	rowReasoning
	rowInputAudio
	rowOutputAudio
	rowService
	rowCost
	rowWarnings
	rowBytesIn
	rowBytesOut
	rowWebSearches
	rowSkipped
)

// The numbers of an attempt's fields.
const (
	attemptChannel = iota + 1
	attemptChannelID
	attemptKey
	attemptModel
	attemptStart
	attemptDuration
	attemptFirstToken
	attemptStatus
	attemptClass
	attemptVerdict
	attemptMessage
	attemptWhy
	attemptSkipped
	attemptInput
	attemptCost
)

// The numbers of the fields of what was skipped.
const (
	skipChannel = iota + 1
	skipModel
	skipKey
	skipClass
	skipUntil
)

// errRow is the error of a row that can't be read.
var errRow = errors.New("requestlog: damaged row")

// maxMessage is how many bytes of a message a row keeps: it may repeat what the client sent, however long that is.
const maxMessage = 4 << 10

// appendRow appends o as it is stored: only what is not zero. Times are kept to the microsecond.
func appendRow(dst []byte, o *outcome.Outcome) []byte {
	dst = appendText(dst, rowID, o.ID)
	if !o.Start.IsZero() {
		dst = appendNumber(dst, rowStart, o.Start.UnixMicro())
	}
	dst = appendNumber(dst, rowProtocol, int64(o.Protocol))
	dst = appendNumber(dst, rowOperation, int64(o.Operation))
	dst = appendNumber(dst, rowStream, bit(o.Stream))
	dst = appendText(dst, rowRequested, o.Requested)
	dst = appendText(dst, rowGroup, o.Group)
	dst = appendText(dst, rowGroupID, o.GroupID)
	dst = appendText(dst, rowAPIKeyID, o.APIKeyID)
	dst = appendText(dst, rowAPIKeyName, o.APIKeyName)
	if o.Client.IsValid() {
		address := o.Client.As16()
		dst = protowire.AppendTag(dst, rowClient, protowire.BytesType)
		dst = protowire.AppendBytes(dst, address[:])
	}
	dst = appendNumber(dst, rowStatus, int64(o.Status))
	dst = appendNumber(dst, rowClass, int64(o.Class))
	dst = appendText(dst, rowMessage, o.Message[:min(len(o.Message), maxMessage)])
	for i := range o.Attempts {
		dst = appendAttempt(dst, &o.Attempts[i])
	}
	dst = appendNumber(dst, rowFirstToken, o.FirstToken.Microseconds())
	dst = appendNumber(dst, rowTotal, o.Total.Microseconds())
	u := &o.Usage
	dst = appendNumber(dst, rowKnowledge, int64(u.Knowledge))
	dst = appendNumber(dst, rowInput, u.Input)
	dst = appendNumber(dst, rowCacheRead, u.CacheRead)
	dst = appendNumber(dst, rowCacheWrite5m, u.CacheWrite5m)
	dst = appendNumber(dst, rowCacheWrite1h, u.CacheWrite1h)
	dst = appendNumber(dst, rowOutput, u.Output)
	dst = appendNumber(dst, rowReasoning, u.Reasoning)
	dst = appendNumber(dst, rowWebSearches, u.WebSearches)
	dst = appendNumber(dst, rowInputAudio, u.InputAudio)
	dst = appendNumber(dst, rowOutputAudio, u.OutputAudio)
	dst = appendNumber(dst, rowService, int64(u.Service))
	if o.CostKnown {
		// A cost of zero is not the same as none.
		dst = appendNumber(dst, rowCost, o.CostNanoUSD+1)
	}
	for i := range o.Skipped {
		dst = appendSkip(dst, rowSkipped, &o.Skipped[i])
	}
	dst = appendText(dst, rowWarnings, o.Warnings)
	dst = appendNumber(dst, rowBytesIn, o.BytesIn)
	return appendNumber(dst, rowBytesOut, o.BytesOut)
}

// appendAttempt appends an attempt behind its length. The length is known last, so it is made room for first: an attempt is
// nearly always shorter than 16 KiB, whose length takes two bytes.
func appendAttempt(dst []byte, a *outcome.Attempt) []byte {
	dst = protowire.AppendTag(dst, rowAttempt, protowire.BytesType)
	const room = 2
	at := len(dst)
	dst = append(dst, 0, 0)
	dst = appendText(dst, attemptChannel, a.Channel)
	dst = appendText(dst, attemptChannelID, a.ChannelID)
	dst = appendText(dst, attemptKey, a.Key)
	dst = appendText(dst, attemptModel, a.Model)
	dst = appendNumber(dst, attemptStart, a.Start.Microseconds())
	dst = appendNumber(dst, attemptDuration, a.Duration.Microseconds())
	dst = appendNumber(dst, attemptFirstToken, a.FirstToken.Microseconds())
	dst = appendNumber(dst, attemptStatus, int64(a.Status))
	dst = appendNumber(dst, attemptClass, int64(a.Class))
	dst = appendNumber(dst, attemptVerdict, int64(a.Verdict))
	dst = appendText(dst, attemptMessage, a.Message)
	dst = appendNumber(dst, attemptWhy, int64(a.Why))
	for i := range a.Skipped {
		dst = appendSkip(dst, attemptSkipped, &a.Skipped[i])
	}
	// What a lost attempt used is an estimate of its prompt, and nothing else.
	dst = appendNumber(dst, attemptInput, a.Usage.Input)
	if a.CostKnown {
		dst = appendNumber(dst, attemptCost, a.CostNanoUSD+1)
	}
	size := len(dst) - at - room
	if size >= 1<<14 {
		return append(dst[:at:at], protowire.AppendBytes(nil, dst[at+room:])...)
	}
	dst[at], dst[at+1] = byte(size)|0x80, byte(size>>7)
	return dst
}

// appendSkip appends what was skipped, behind its length.
func appendSkip(dst []byte, field protowire.Number, s *outcome.Skip) []byte {
	var storage [256]byte
	record := appendText(storage[:0], skipChannel, s.Channel)
	record = appendText(record, skipModel, s.Model)
	record = appendText(record, skipKey, s.Key)
	record = appendNumber(record, skipClass, int64(s.Class))
	record = appendNumber(record, skipUntil, s.Until.Microseconds())
	return protowire.AppendBytes(protowire.AppendTag(dst, field, protowire.BytesType), record)
}

func appendNumber(dst []byte, field protowire.Number, n int64) []byte {
	if n == 0 {
		return dst
	}
	return protowire.AppendVarint(protowire.AppendTag(dst, field, protowire.VarintType), uint64(n))
}

func appendText(dst []byte, field protowire.Number, text string) []byte {
	if text == "" {
		return dst
	}
	return protowire.AppendString(protowire.AppendTag(dst, field, protowire.BytesType), text)
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// fields calls number or text with each field of a record. Kinds that are not known are passed over.
func fields(record []byte, number func(protowire.Number, int64), text func(protowire.Number, []byte) error) error {
	for len(record) > 0 {
		field, kind, n := protowire.ConsumeTag(record)
		if n < 0 {
			return errRow
		}
		record = record[n:]
		switch kind {
		case protowire.VarintType:
			value, n := protowire.ConsumeVarint(record)
			if n < 0 {
				return errRow
			}
			number(field, int64(value))
			record = record[n:]
		case protowire.BytesType:
			value, n := protowire.ConsumeBytes(record)
			if n < 0 {
				return errRow
			}
			if err := text(field, value); err != nil {
				return err
			}
			record = record[n:]
		default:
			if n = protowire.ConsumeFieldValue(field, kind, record); n < 0 {
				return errRow
			}
			record = record[n:]
		}
	}
	return nil
}

// readRow reads a stored row. The row borrows nothing of the record.
func readRow(record []byte) (*Row, error) {
	r := new(Row)
	o := &r.Outcome
	u := &o.Usage
	err := fields(record, func(field protowire.Number, n int64) {
		switch field {
		case rowStart:
			o.Start = time.UnixMicro(n)
		case rowProtocol:
			o.Protocol = known(n, llm.Messages)
		case rowOperation:
			o.Operation = known(n, outcome.Compact)
		case rowStream:
			o.Stream = n != 0
		case rowStatus:
			o.Status = int(n)
		case rowClass:
			o.Class = class(n)
		case rowFirstToken:
			o.FirstToken = time.Duration(n) * time.Microsecond
		case rowTotal:
			o.Total = time.Duration(n) * time.Microsecond
		case rowKnowledge:
			u.Knowledge = known(n, llm.Reported)
		case rowInput:
			u.Input = n
		case rowCacheRead:
			u.CacheRead = n
		case rowCacheWrite5m:
			u.CacheWrite5m = n
		case rowCacheWrite1h:
			u.CacheWrite1h = n
		case rowOutput:
			u.Output = n
		case rowReasoning:
			u.Reasoning = n
		case rowWebSearches:
			u.WebSearches = n
		case rowInputAudio:
			u.InputAudio = n
		case rowOutputAudio:
			u.OutputAudio = n
		case rowService:
			u.Service = known(n, llm.ServiceFlex)
		case rowCost:
			o.CostNanoUSD, o.CostKnown = n-1, true
		case rowBytesIn:
			o.BytesIn = n
		case rowBytesOut:
			o.BytesOut = n
		}
	}, func(field protowire.Number, text []byte) error {
		switch field {
		case rowID:
			o.ID = string(text)
		case rowRequested:
			o.Requested = string(text)
		case rowGroup:
			o.Group = string(text)
		case rowGroupID:
			o.GroupID = string(text)
		case rowAPIKeyID:
			o.APIKeyID = string(text)
		case rowAPIKeyName:
			o.APIKeyName = string(text)
		case rowClient:
			if len(text) == 16 {
				o.Client = netip.AddrFrom16([16]byte(text)).Unmap()
			}
		case rowMessage:
			o.Message = string(text)
		case rowWarnings:
			o.Warnings = string(text)
		case rowSkipped:
			skip, err := readSkip(text)
			if err != nil {
				return err
			}
			o.Skipped = append(o.Skipped, skip)
		case rowAttempt:
			a, err := readAttempt(text)
			if err != nil {
				return err
			}
			o.Attempts = append(o.Attempts, a)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

func readAttempt(record []byte) (outcome.Attempt, error) {
	var a outcome.Attempt
	err := fields(record, func(field protowire.Number, n int64) {
		switch field {
		case attemptStart:
			a.Start = time.Duration(n) * time.Microsecond
		case attemptDuration:
			a.Duration = time.Duration(n) * time.Microsecond
		case attemptFirstToken:
			a.FirstToken = time.Duration(n) * time.Microsecond
		case attemptStatus:
			a.Status = int(n)
		case attemptClass:
			a.Class = class(n)
		case attemptVerdict:
			a.Verdict = known(n, outcome.Lose)
		case attemptWhy:
			a.Why = known(n, outcome.ByAffinity)
		case attemptInput:
			a.Usage = llm.Usage{Input: n, Knowledge: llm.Estimated}
		case attemptCost:
			a.CostNanoUSD, a.CostKnown = n-1, true
		}
	}, func(field protowire.Number, text []byte) error {
		switch field {
		case attemptChannel:
			a.Channel = string(text)
		case attemptChannelID:
			a.ChannelID = string(text)
		case attemptKey:
			a.Key = string(text)
		case attemptModel:
			a.Model = string(text)
		case attemptMessage:
			a.Message = string(text)
		case attemptSkipped:
			skip, err := readSkip(text)
			if err != nil {
				return err
			}
			a.Skipped = append(a.Skipped, skip)
		}
		return nil
	})
	return a, err
}

func readSkip(record []byte) (outcome.Skip, error) {
	var s outcome.Skip
	err := fields(record, func(field protowire.Number, n int64) {
		switch field {
		case skipClass:
			s.Class = class(n)
		case skipUntil:
			s.Until = time.Duration(n) * time.Microsecond
		}
	}, func(field protowire.Number, text []byte) error {
		switch field {
		case skipChannel:
			s.Channel = string(text)
		case skipModel:
			s.Model = string(text)
		case skipKey:
			s.Key = string(text)
		}
		return nil
	})
	return s, err
}

// known returns a value of an enumeration by its number on disk, the zero value for one that only a newer version knows.
func known[T ~uint8](n int64, last T) T {
	if n < 0 || n > int64(last) {
		return 0
	}
	return T(n)
}

// class returns a class by its number on disk. One that only a newer version knows is told as a fault of ours.
func class(n int64) outcome.Class {
	if n < 0 || n >= outcome.Classes {
		return outcome.ClassInternal
	}
	return outcome.Class(n)
}
