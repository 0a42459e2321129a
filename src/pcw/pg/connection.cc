#include "pcw/pg/connection.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <unordered_set>

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include "pcw/base/assert.h"
#include "pcw/base/log.h"
#include "pcw/pg/pooler.h"
#include "pcw/pg/sqlstate.h"

namespace pcw::pg {
namespace {

struct ResultDeleter {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, ResultDeleter>;

std::string Trimmed(const char* text) {
  std::string out = text == nullptr ? "" : text;
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
  std::replace(out.begin(), out.end(), '\n', ' ');
  return out;
}

// Text that no column holds.
constexpr std::string_view kBadText = "22021";

// Waits until the socket is ready, in slices short enough that a stop is noticed quickly.
enum class Wait { kReady, kStopped, kTimeout };
Wait WaitSocket(int fd, short events, std::chrono::milliseconds timeout,
                const std::stop_token& stop) {
  constexpr int kSliceMs = 20;
  const auto give_up = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    if (stop.stop_requested()) return Wait::kStopped;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                          give_up - std::chrono::steady_clock::now())
                          .count();
    if (left <= 0) return Wait::kTimeout;
    // Without a stop there is nobody to be quick for.
    const int slice =
        static_cast<int>(std::min<std::int64_t>(left, stop.stop_possible() ? kSliceMs : 1000));
    pollfd entry{fd, events, 0};
    const int ready = ::poll(&entry, 1, slice);
    if (ready > 0) return Wait::kReady;
    if (ready < 0 && errno != EINTR)
      return Wait::kReady;  // libpq will report what is wrong with it
  }
}

constexpr std::chrono::milliseconds kForever = std::chrono::hours(24 * 365);

}  // namespace

struct Rows::Data {
  ResultPtr result;
};

Rows::Rows(std::shared_ptr<const Data> data) : data_(std::move(data)) {}

std::size_t Rows::size() const { return static_cast<std::size_t>(PQntuples(data_->result.get())); }
std::size_t Rows::columns() const {
  return static_cast<std::size_t>(PQnfields(data_->result.get()));
}
std::string_view Rows::name(std::size_t column) const {
  return PQfname(data_->result.get(), static_cast<int>(column));
}

std::optional<std::string_view> Rows::At(std::size_t row, std::size_t column) const {
  const PGresult* result = data_->result.get();
  const int r = static_cast<int>(row);
  const int c = static_cast<int>(column);
  if (PQgetisnull(result, r, c) != 0) return std::nullopt;
  return std::string_view(PQgetvalue(result, r, c),
                          static_cast<std::size_t>(PQgetlength(result, r, c)));
}

std::string_view Rows::Text(std::size_t row, std::size_t column) const {
  return At(row, column).value_or(std::string_view());
}

std::int64_t Rows::Int(std::size_t row, std::size_t column) const {
  const std::string_view text = Text(row, column);
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool Rows::Bool(std::size_t row, std::size_t column) const { return Text(row, column) == "t"; }

std::int64_t Rows::affected() const {
  const std::string_view text = PQcmdTuples(data_->result.get());
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

struct Connection::State {
  PGconn* pg = nullptr;
  std::unordered_set<std::string> prepared;
  std::chrono::milliseconds statement_timeout{0};
  // The server refused for a reason that lies in its own state. A session opened later may meet
  // another state, or another server; this one keeps what it began with.
  mutable bool is_spent = false;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { PQfinish(pg); }

  static Result<std::unique_ptr<State>> Start(const ConnectOptions& options,
                                              const std::stop_token& stop);

  Error Lost(std::string_view query) const {
    return Error(ErrorCode::kUnavailable,
                 "the database session was lost: " + Trimmed(PQerrorMessage(pg)))
        .From(Origin::kDatabase)
        .With("query", std::string(query));
  }

  Error Failed(const PGresult* result, std::string_view query) const {
    const char* field = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const std::string sqlstate = field == nullptr ? "" : field;
    if (sqlstate.empty()) return Lost(query);
    const ErrorCode code = CodeOfSqlstate(sqlstate);
    if (code == ErrorCode::kUnavailable) is_spent = true;
    // The primary message only: the detail of a constraint violation would echo values (T10).
    std::string message = Trimmed(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
    if (IsForgottenStatement(sqlstate)) message = fmt::format("{}; {}", message, kPoolerAdvice);
    Error error(code, std::move(message));
    error.From(Origin::kDatabase).With("query", std::string(query)).With("sqlstate", sqlstate);
    // Names of the schema, not values.
    for (const auto& [key, part] : {std::pair{"constraint", PG_DIAG_CONSTRAINT_NAME},
                                    std::pair{"column", PG_DIAG_COLUMN_NAME}}) {
      if (const char* name = PQresultErrorField(result, part); name != nullptr && *name != '\0')
        error.With(key, name);
    }
    return error;
  }

  void Cancel() const {
    if (PGcancel* cancel = PQgetCancel(pg)) {
      char reason[256];
      PQcancel(cancel, reason, sizeof reason);
      PQfreeCancel(cancel);
    }
  }

  // Pushes what is queued out and reads until a result can be taken without blocking. After a stop
  // the statement is cancelled and its end awaited, so that the session stays usable.
  Status Settle(std::string_view query, const std::stop_token& stop, bool& was_stopped) {
    constexpr int kMostCancels = 10;
    const auto timeout = statement_timeout.count() > 0 ? statement_timeout : kForever;
    for (int cancels = 0;;) {
      const int unsent = PQflush(pg);
      if (unsent < 0) return Lost(query);
      if (unsent == 0 && PQisBusy(pg) == 0) return Ok{};
      const auto events = static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN);
      const Wait waited = was_stopped
                              ? WaitSocket(PQsocket(pg), events, std::chrono::seconds(1), {})
                              : WaitSocket(PQsocket(pg), events, timeout, stop);
      if (waited != Wait::kReady) {
        // More than once: the server ignores a cancel that overtakes its statement.
        if (++cancels > kMostCancels) return Lost(query);
        was_stopped = true;
        Cancel();
        continue;
      }
      if (PQconsumeInput(pg) == 0) return Lost(query);
    }
  }

  // The name under which the session knows the statement; two texts under one name would silently
  // run the wrong one.
  static std::string StatementName(const Query& query) {
    return fmt::format("{}_{}", query.name, std::hash<std::string_view>{}(query.sql));
  }

  static std::string KnownAs(const Query& query) {
    return fmt::format("{}\n{}", query.name, query.sql);
  }

  Status SendPrepare(const Query& query) {
    const std::string sql(query.sql);
    if (PQsendPrepare(pg, StatementName(query).c_str(), sql.c_str(), 0, nullptr) == 0)
      return Lost(query.name);
    return Ok{};
  }

  Status Prepare(const Query& query, const std::stop_token& stop) {
    std::string known = KnownAs(query);
    if (prepared.contains(known)) return Ok{};
    PCW_TRY_OK(SendPrepare(query));
    PCW_TRY_OK(Collect(query.name, stop));
    prepared.insert(std::move(known));
    return Ok{};
  }

  Status SendBinary(const Query& query, std::span<const BinaryParam> params) {
    std::vector<const char*> values;
    std::vector<int> lengths;
    values.reserve(params.size());
    lengths.reserve(params.size());
    for (const BinaryParam& param : params) {
      // An empty value is a value: libpq takes only a null pointer for NULL.
      values.push_back(param ? (param->empty() ? "" : param->data()) : nullptr);
      lengths.push_back(param ? static_cast<int>(param->size()) : 0);
    }
    const std::vector<int> formats(params.size(), 1);
    if (PQsendQueryPrepared(pg, StatementName(query).c_str(), static_cast<int>(values.size()),
                            values.data(), lengths.data(), formats.data(), 0) == 0)
      return Lost(query.name);
    return Ok{};
  }

  // What a statement that was sent answers.
  Result<Rows> Answer(std::string_view query, const std::stop_token& stop) {
    PCW_TRY(ResultPtr result, Collect(query, stop));
    auto data = std::make_shared<Rows::Data>();
    data->result = std::move(result);
    return Rows(std::move(data));
  }

  // Takes all results of one command; the last one counts, an error wins.
  Result<ResultPtr> Collect(std::string_view query, const std::stop_token& stop) {
    ResultPtr last;
    std::optional<Error> failure;
    bool was_stopped = false;
    for (;;) {
      if (Status settled = Settle(query, stop, was_stopped); !settled)
        return std::move(settled).error();
      ResultPtr result(PQgetResult(pg));
      if (!result) break;
      const ExecStatusType status = PQresultStatus(result.get());
      if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE) {
        if (!failure) failure = Failed(result.get(), query);
      } else {
        last = std::move(result);
        if (status == PGRES_COPY_IN) break;
      }
    }
    if (PQstatus(pg) != CONNECTION_OK) {
      if (!failure) return Lost(query);
      Error lost(ErrorCode::kUnavailable, failure->message());
      return std::move(lost)
          .From(Origin::kDatabase)
          .With("query", std::string(query))
          .With("sqlstate", std::string(failure->Find("sqlstate").value_or("")));
    }
    // A cancel that came late ends the next statement of a pipeline.
    if (failure && stop.stop_requested() && (was_stopped || failure->Find("sqlstate") == "57014"))
      return Error(ErrorCode::kCancelled, "stopped during a statement")
          .With("query", std::string(query));
    if (failure) return *failure;
    if (!last) return Lost(query);
    return last;
  }
};

Connection::Connection(std::unique_ptr<State> state) : state_(std::move(state)) {}
Connection::~Connection() = default;
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;

Result<std::unique_ptr<Connection::State>> Connection::State::Start(const ConnectOptions& options,
                                                                    const std::stop_token& stop) {
  auto state = std::make_unique<State>();
  const char* keys[] = {"dbname", "fallback_application_name", "client_encoding", nullptr};
  const char* values[] = {options.url.c_str(), options.application_name.c_str(), "UTF8", nullptr};
  state->pg = PQconnectStartParams(keys, values, 1);
  PCW_ASSERT(state->pg != nullptr);
  const auto failed = [&] {
    const RefusedLogin refused = ReadRefusedLogin(PQerrorMessage(state->pg));
    Error error(refused.code,
                fmt::format("cannot connect to the database: {}; {}", refused.text,
                            refused.code == ErrorCode::kUnavailable && !refused.sqlstate.empty()
                                ? "the server answers, and takes no session now"
                                : "check database.url and that the server runs"));
    error.From(Origin::kDatabase);
    if (refused.sqlstate.empty()) return error;
    return std::move(error).With("sqlstate", refused.sqlstate);
  };
  // libpq 15 gives the SQLSTATE of a refused login in the text alone, and only when it is to be
  // verbose.
  PQsetErrorVerbosity(state->pg, PQERRORS_VERBOSE);
  if (PQstatus(state->pg) == CONNECTION_BAD) return failed();

  const auto give_up = std::chrono::steady_clock::now() + options.connect_timeout;
  PostgresPollingStatusType step = PGRES_POLLING_WRITING;
  while (step != PGRES_POLLING_OK) {
    if (step == PGRES_POLLING_FAILED) return failed();
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        give_up - std::chrono::steady_clock::now());
    const short events = step == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    const Wait waited = WaitSocket(PQsocket(state->pg), events, left, stop);
    if (waited == Wait::kStopped)
      return Error(ErrorCode::kCancelled, "stopped while connecting to the database");
    if (waited == Wait::kTimeout)
      return Error(ErrorCode::kUnavailable, fmt::format("the database did not answer within {} ms",
                                                        options.connect_timeout.count()));
    step = PQconnectPoll(state->pg);
  }
  PQsetErrorVerbosity(state->pg, PQERRORS_DEFAULT);
  PCW_ASSERT(PQsetnonblocking(state->pg, 1) == 0);
  PQsetNoticeProcessor(
      state->pg,
      [](void*, const char* text) {
        Log(LogLevel::kDebug, "database notice", {{"text", Trimmed(text)}});
      },
      nullptr);
  state->statement_timeout = options.statement_timeout;
  return state;
}

Result<Connection> Connection::Open(const ConnectOptions& options, std::stop_token stop) {
  PCW_TRY(auto state, State::Start(options, stop));
  const int claimed_pid = PQbackendPID(state->pg);
  Connection connection(std::move(state));
  const auto open_other = [&](std::chrono::milliseconds patience) -> Result<Connection> {
    ConnectOptions second = options;
    second.connect_timeout = std::min(second.connect_timeout, patience);
    second.statement_timeout = patience;
    PCW_TRY(auto other, State::Start(second, stop));
    return Connection(std::move(other));
  };
  PCW_TRY_OK(RefuseTransactionPooler(connection, claimed_pid, open_other, stop));
  return connection;
}

Result<Rows> Connection::Exec(const Query& query, std::span<const Param> params,
                              std::stop_token stop) {
  PCW_TRY_OK(state_->Prepare(query, stop));
  std::vector<const char*> values;
  values.reserve(params.size());
  for (const Param& param : params) {
    // libpq takes text up to its first NUL: another value than the caller's would be stored, and a
    // filter would silently be a shorter, wider one.
    if (param && param->find('\0') != std::string::npos) {
      return Error(ErrorCode::kInvalidRequest,
                   "a value holds the character U+0000, which no text of PostgreSQL can hold")
          .With("query", std::string(query.name))
          .With("sqlstate", std::string(kBadText));
    }
    values.push_back(param ? param->c_str() : nullptr);
  }
  if (PQsendQueryPrepared(state_->pg, State::StatementName(query).c_str(),
                          static_cast<int>(values.size()), values.data(), nullptr, nullptr, 0) == 0)
    return state_->Lost(query.name);
  return state_->Answer(query.name, stop);
}

Status Connection::ExecScript(std::string_view name, std::string_view sql, std::stop_token stop) {
  if (PQsendQuery(state_->pg, std::string(sql).c_str()) == 0) return state_->Lost(name);
  PCW_TRY_OK(state_->Collect(name, stop));
  return Ok{};
}

Result<std::int64_t> Connection::CopyIn(const Query& statement, std::string_view data,
                                        std::stop_token stop) {
  PGconn* pg = state_->pg;
  if (PQsendQuery(pg, std::string(statement.sql).c_str()) == 0) return state_->Lost(statement.name);
  PCW_TRY(const ResultPtr begun, state_->Collect(statement.name, stop));
  if (PQresultStatus(begun.get()) != PGRES_COPY_IN)
    return Error(ErrorCode::kInternal, "not a COPY ... FROM STDIN")
        .With("query", std::string(statement.name));

  // Each chunk is on the wire before the next is given: libpq moves what it could not send to the
  // front of its buffer each time, so that a large backlog would be copied over and over.
  constexpr std::size_t kChunk = 128U << 10U;
  bool was_stopped = false;
  while (!data.empty() && !was_stopped) {
    const std::string_view chunk = data.substr(0, kChunk);
    const int sent = PQputCopyData(pg, chunk.data(), static_cast<int>(chunk.size()));
    if (sent < 0) return state_->Lost(statement.name);
    if (sent > 0) data.remove_prefix(chunk.size());
    for (int left = PQflush(pg); left != 0 && !was_stopped; left = PQflush(pg)) {
      if (left < 0) return state_->Lost(statement.name);
      const Wait waited = WaitSocket(PQsocket(pg), POLLIN | POLLOUT, kForever, stop);
      was_stopped = waited == Wait::kStopped;
      if (PQconsumeInput(pg) == 0) return state_->Lost(statement.name);
    }
  }
  while (PQputCopyEnd(pg, was_stopped ? "stopped" : nullptr) == 0)
    WaitSocket(PQsocket(pg), POLLOUT, std::chrono::seconds(1), {});
  auto ended = state_->Collect(statement.name, stop);
  if (was_stopped)
    return Error(ErrorCode::kCancelled, "stopped during a COPY")
        .With("query", std::string(statement.name));
  if (!ended) return std::move(ended).error();
  auto rows = std::make_shared<Rows::Data>();
  rows->result = std::move(*ended);
  return Rows(std::move(rows)).affected();
}

Result<bool> Connection::WaitNotification(std::chrono::milliseconds timeout, std::stop_token stop) {
  if (PGnotify* notification = PQnotifies(state_->pg)) {
    PQfreemem(notification);
    return true;
  }
  const Wait waited = WaitSocket(PQsocket(state_->pg), POLLIN, timeout, stop);
  if (waited == Wait::kStopped) return Error(ErrorCode::kCancelled, "stopped while waiting");
  if (waited == Wait::kTimeout) return false;
  if (PQconsumeInput(state_->pg) == 0) return state_->Lost("wait");
  PGnotify* notification = PQnotifies(state_->pg);
  if (notification == nullptr) return false;
  PQfreemem(notification);
  return true;
}

bool Connection::is_usable() const {
  return state_ && PQstatus(state_->pg) == CONNECTION_OK && !state_->is_spent;
}

bool Connection::in_transaction() const {
  return PQtransactionStatus(state_->pg) == PQTRANS_INTRANS ||
         PQtransactionStatus(state_->pg) == PQTRANS_INERROR;
}

Result<Pipeline> Pipeline::Begin(Connection& connection) {
  if (PQenterPipelineMode(connection.state_->pg) == 0) return connection.state_->Lost("pipeline");
  return Pipeline(connection);
}

Pipeline::Pipeline(Pipeline&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)), sent_(std::move(other.sent_)) {}

Pipeline::~Pipeline() {
  if (connection_ == nullptr) return;
  while (!sent_.empty() && connection_->is_usable()) {
    if (const auto answer = Take(); !answer)
      Log(LogLevel::kDebug, "nobody took the answer", {{"error", answer.error().message()}});
  }
  if (PQexitPipelineMode(connection_->state_->pg) == 0 && connection_->is_usable())
    LogError("a pipeline could not be left", connection_->state_->Lost("pipeline"));
}

Status Pipeline::Send(const Query& query, std::span<const BinaryParam> params) {
  Connection::State& state = *connection_->state_;
  std::string known = Connection::State::KnownAs(query);
  const bool is_known = state.prepared.contains(known) ||
                        std::any_of(sent_.begin(), sent_.end(),
                                    [&](const Sent& sent) { return sent.makes == known; });
  if (is_known) {
    known.clear();
  } else {
    PCW_TRY_OK(state.SendPrepare(query));
  }
  PCW_TRY_OK(state.SendBinary(query, params));
  if (PQpipelineSync(state.pg) == 0) return state.Lost(query.name);
  sent_.push_back({std::string(query.name), std::move(known)});
  return Ok{};
}

Result<Rows> Pipeline::Take(std::stop_token stop) {
  PCW_ASSERT(!sent_.empty());
  Connection::State& state = *connection_->state_;
  Sent sent = std::move(sent_.front());
  sent_.pop_front();
  std::optional<Error> refused;
  if (!sent.makes.empty()) {
    if (auto prepared = state.Collect(sent.name, stop); prepared) {
      state.prepared.insert(std::move(sent.makes));
    } else {
      refused = std::move(prepared).error();
    }
  }
  // Taken in any case: what was refused leaves an answer too.
  Result<Rows> answer = state.Answer(sent.name, stop);
  bool was_stopped = false;
  const Status settled = state.Settle(sent.name, stop, was_stopped);
  const bool is_synced =
      settled && PQresultStatus(ResultPtr(PQgetResult(state.pg)).get()) == PGRES_PIPELINE_SYNC;
  if (refused) return std::move(*refused);
  if (answer && !is_synced) return state.Lost(sent.name);
  return answer;
}

Result<Transaction> Transaction::Begin(Connection& connection, std::string_view name,
                                       std::stop_token stop) {
  PCW_ASSERT(!connection.in_transaction());
  PCW_TRY_OK(connection.ExecScript(name, "BEGIN", stop));
  return Transaction(connection, name);
}

Transaction::Transaction(Transaction&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)), name_(other.name_) {}

Transaction::~Transaction() {
  if (connection_ == nullptr || !connection_->in_transaction()) return;
  if (Status ended = connection_->ExecScript(name_, "ROLLBACK"); !ended)
    LogError("a transaction could not be rolled back", ended.error());
}

Status Transaction::Commit() {
  Connection* connection = std::exchange(connection_, nullptr);
  Status committed = connection->ExecScript(name_, "COMMIT");
  if (!committed && committed.error().code() == ErrorCode::kUnavailable)
    return std::move(committed).error().With("commit", "unknown");
  return committed;
}

}  // namespace pcw::pg
