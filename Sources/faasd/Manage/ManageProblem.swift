import Billing
import Catalog
import HTTPTypes
import Hummingbird
import Invoker
import NIOCore

/// A refused management request: its HTTP status, and words that name what was wrong, the limit and the remedy.
struct ManageProblem: Error, Sendable {
    var status: HTTPResponse.Status
    var type: String
    var message: String
    var field: String?
    var value: String?
    var limit: String?

    private struct Body: Encodable {
        struct Error: Encodable {
            var message: String
            var error_type: String
            var field: String?
            var value: String?
            var limit: String?
        }
        var error: Error
    }

    var response: Response {
        JSONReply.make(
            status,
            Body(error: .init(message: message, error_type: type, field: field, value: value, limit: limit))
        )
    }
}

extension ManageProblem {
    init(_ error: CatalogError) {
        let status: HTTPResponse.Status =
            switch error.reason {
            case .invalid: .badRequest
            case .notFound: .notFound
            case .taken, .state: .conflict
            case .storage: .internalServerError
            }
        self.init(
            status: status,
            type: error.reason.rawValue,
            message: error.message,
            field: error.field,
            value: error.value,
            limit: error.limit
        )
    }

    init(_ error: LedgerError) {
        let status: HTTPResponse.Status =
            switch error.kind {
            case .accountUnknown, .notFound: .notFound
            case .invalid: .badRequest
            case .conflict: .conflict
            case .busy, .closed, .outcomeUnknown: .serviceUnavailable
            case .open, .read, .schema: .internalServerError
            }
        self.init(
            status: status,
            type: error.kind.rawValue,
            message: error.kind == .accountUnknown ? "there is no account \(error.detail)" : error.detail,
            field: error.problem?.field,
            value: error.problem?.value,
            limit: error.problem?.rule
        )
    }

    init(_ error: BillingError) {
        self.init(
            status: .badRequest,
            type: "invalid",
            message: error.description,
            field: error.field,
            value: error.value,
            limit: error.rule
        )
    }

    init(_ failure: Builder.Failure) {
        switch failure {
        case .rejected(let type, let message): self.init(status: .unprocessableContent, type: type, message: message)
        case .busy(let waiting):
            self.init(
                status: .tooManyRequests,
                type: "QueueFullError",
                message: "\(waiting) builds already wait, which is the most; try again in a minute",
                limit: "\(waiting)"
            )
        case .fault(let message): self.init(status: .internalServerError, type: "SystemError", message: message)
        }
    }

    /// Any error of a handler, in this form.
    static func from(_ error: any Error) -> ManageProblem {
        switch error {
        case let problem as ManageProblem: problem
        case let error as CatalogError: ManageProblem(error)
        case let error as LedgerError: ManageProblem(error)
        case let error as BillingError: ManageProblem(error)
        case let error as Builder.Failure: ManageProblem(error)
        case is NIOTooManyBytesError:
            ManageProblem(
                status: .contentTooLarge,
                type: "TooLargeError",
                message: "the body is larger than this route takes"
            )
        default: ManageProblem(status: .internalServerError, type: "SystemError", message: "unexpected: \(error)")
        }
    }

    static func invalid(_ field: String, _ value: String, _ wanted: String) -> ManageProblem {
        ManageProblem(
            status: .badRequest,
            type: "invalid",
            message: "\(field) is '\(value.prefix(100))'; it must be \(wanted)",
            field: field,
            value: String(value.prefix(200)),
            limit: wanted
        )
    }
}
