package admin

import (
	"github.com/valyala/fasthttp"
)

// errorBody is the form of every error.
type errorBody struct {
	Error errorDetail `json:"error"`
}

// errorDetail says what went wrong. Field is the query parameter or the JSON path of the field at fault, or empty.
type errorDetail struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Field   string `json:"field"`
}

// refusal is an error that the caller is told as it is. Any other error is logged and told as a fault of ours.
type refusal struct {
	status int
	detail errorDetail
}

// Error returns the message.
func (r *refusal) Error() string { return r.detail.Message }

// refused returns an error that no field of the request is to blame for.
func refused(status int, code, message string) error {
	return &refusal{status, errorDetail{Code: code, Message: message}}
}

// badField returns the error about a query parameter, or a field of the body, that can't be used.
func badField(code, field, message string) error {
	return &refusal{fasthttp.StatusBadRequest, errorDetail{Code: code, Message: message, Field: field}}
}

// refuse answers with an error that no field of the request is to blame for.
func refuse(ctx *fasthttp.RequestCtx, status int, code, message string) {
	refuseWith(ctx, status, errorDetail{Code: code, Message: message})
}

func refuseWith(ctx *fasthttp.RequestCtx, status int, detail errorDetail) {
	ctx.SetStatusCode(status)
	answerJSON(ctx, errorBody{detail})
}
