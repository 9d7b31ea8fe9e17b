package outcome

// Class is why an attempt, or a request, failed: the rows of design.md section 5. The zero value is success.
type Class uint8

// The classes of failures.
const (
	// ClassNone is success.
	ClassNone Class = iota
	// ClassInvalid is a request that can't succeed anywhere.
	ClassInvalid
	// ClassContext is a prompt too long for the model.
	ClassContext
	// ClassFilter is a prompt that the provider refuses to answer.
	ClassFilter
	// ClassState is a part of the request that the upstream can't take and another may: reasoning that another provider made,
	// a field that it does not know.
	ClassState
	// ClassCredential is an upstream key that is refused.
	ClassCredential
	// ClassQuota is an upstream account without money or quota.
	ClassQuota
	// ClassRateLimited is an upstream that asks to slow down.
	ClassRateLimited
	// ClassModel is an upstream without the model.
	ClassModel
	// ClassTransient is an upstream that failed in passing.
	ClassTransient
	// ClassOverloaded is an upstream that can't take more now.
	ClassOverloaded
	// ClassSilent is an upstream that did not answer in time.
	ClassSilent
	// ClassNonsense is an upstream whose answer makes no sense.
	ClassNonsense
	// ClassCut is an answer that broke off after its first real event.
	ClassCut
	// ClassClientGone is a client that left.
	ClassClientGone
	// ClassRefused is a request that the gateway itself refused: credential, size, model, limits.
	ClassRefused
	// ClassUnavailable is a group that no target could serve.
	ClassUnavailable
	// ClassInternal is a fault of the gateway.
	ClassInternal
	// Classes is the number of classes.
	Classes = iota
)

var classNames = [Classes]string{
	"none", "invalid", "context_too_long", "content_filter", "foreign_state", "bad_credential", "quota", "rate_limited",
	"model_missing", "transient", "overloaded", "silent", "nonsense", "cut", "client_gone", "refused", "unavailable",
	"internal",
}

// String returns the name that metrics, logs and the ledger use.
func (c Class) String() string { return classNames[c] }
