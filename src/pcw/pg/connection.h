// libpq behind RAII: one connection, parameterised statements, results, transactions, COPY.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/result.h"

namespace pcw::pg {

/// A parameter: text form, or absent for NULL. Types are fixed by casts in the SQL ($1::uuid).
using Param = std::optional<std::string>;
/// A parameter in the binary form of its type, as a field of BinaryCopy has it; nullopt for NULL.
using BinaryParam = std::optional<std::string_view>;

/// All rows of one statement, in text form.
class Rows {
 public:
  struct Data;
  explicit Rows(std::shared_ptr<const Data> data);
  std::size_t size() const;
  bool empty() const { return size() == 0; }
  std::size_t columns() const;
  std::string_view name(std::size_t column) const;
  /// nullopt for SQL NULL. Views live as long as the Rows.
  std::optional<std::string_view> At(std::size_t row, std::size_t column) const;
  /// Text of a column that cannot be NULL by the statement's own shape; empty if it is.
  std::string_view Text(std::size_t row, std::size_t column) const;
  std::int64_t Int(std::size_t row, std::size_t column) const;  ///< 0 if NULL or not an integer
  bool Bool(std::size_t row, std::size_t column) const;
  /// Rows affected by INSERT/UPDATE/DELETE/COPY.
  std::int64_t affected() const;

 private:
  std::shared_ptr<const Data> data_;
};

/// SQL with a name for logs and errors. The text must be a literal: SQL is never assembled from
/// values.
struct Query {
  std::string_view name;
  std::string_view sql;
};

/// How to reach a server. `url` is a libpq URI or key/value string.
struct ConnectOptions {
  std::string url;
  std::string application_name = "pcw";
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds statement_timeout{0};  ///< 0 = none
};

/// One session. Not thread-safe: a worker owns its connection.
///
/// Errors: what pg/sqlstate.h makes of the server's; kUnavailable also when the session was lost;
/// kCancelled after a stop request; from Open kConfig when a pooler in transaction mode answers.
/// After kUnavailable the session is not usable any more, whatever the reason: open another one.
/// Context: query, sqlstate. Values and connection passwords never appear in a message.
class Connection {
 public:
  static Result<Connection> Open(const ConnectOptions& options, std::stop_token stop = {});
  ~Connection();
  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;

  /// One parameterised statement (prepared once per name and connection). A stop request cancels it
  /// on the server.
  Result<Rows> Exec(const Query& query, std::span<const Param> params = {},
                    std::stop_token stop = {});
  Result<Rows> Exec(const Query& query, std::initializer_list<Param> params,
                    std::stop_token stop = {}) {
    return Exec(query, std::span<const Param>(params.begin(), params.size()), stop);
  }
  /// Several statements without parameters: migrations and BEGIN/COMMIT. Not prepared.
  Status ExecScript(std::string_view name, std::string_view sql, std::stop_token stop = {});

  /// COPY ... FROM STDIN (FORMAT binary): `statement` names the target, `data` is the complete
  /// stream from BinaryCopy::Finish. Rows copied.
  Result<std::int64_t> CopyIn(const Query& statement, std::string_view data,
                              std::stop_token stop = {});

  /// Waits for a NOTIFY or the timeout; true if one came.
  Result<bool> WaitNotification(std::chrono::milliseconds timeout, std::stop_token stop = {});

  bool is_usable() const;  ///< false after kUnavailable
  bool in_transaction() const;

 private:
  friend class Pipeline;
  struct State;
  explicit Connection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Statements sent ahead of their answers, so that the server has the next one at hand while it
/// works (libpq's pipeline mode). Answers come in the order of the statements. Belongs inside a
/// transaction: after a failure the others fail as well. While it lives the connection takes
/// nothing else. Who commits has taken every answer; its end throws away the rest. Not thread-safe.
/// Errors as Connection's. Source: PostgreSQL 15's documentation of libpq, "Pipeline Mode".
class Pipeline {
 public:
  static Result<Pipeline> Begin(Connection& connection);
  ~Pipeline();
  Pipeline(Pipeline&& other) noexcept;
  Pipeline& operator=(Pipeline&&) = delete;

  /// As Connection::Exec, with parameters in binary form, which are copied, and without the answer.
  Status Send(const Query& query, std::span<const BinaryParam> params);
  /// The answer to the oldest statement that has none yet.
  Result<Rows> Take(std::stop_token stop = {});
  std::size_t size() const { return sent_.size(); }  ///< statements without an answer

 private:
  struct Sent {
    std::string name;
    std::string makes;  // what the session has prepared once this succeeds; empty if it has it
  };
  explicit Pipeline(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
  std::deque<Sent> sent_;  // without an answer
};

/// A transaction that rolls back unless committed. `name` is for errors. Nested use is a bug.
class Transaction {
 public:
  static Result<Transaction> Begin(Connection& connection, std::string_view name,
                                   std::stop_token stop = {});
  ~Transaction();
  Transaction(Transaction&&) noexcept;
  Transaction& operator=(Transaction&&) = delete;

  Connection& connection() { return *connection_; }
  /// kUnavailable with context `commit`=unknown when the session died during COMMIT: the caller
  /// must read back (T8).
  Status Commit();

 private:
  Transaction(Connection& connection, std::string_view name)
      : connection_(&connection), name_(name) {}
  Connection* connection_;
  std::string_view name_;
};

}  // namespace pcw::pg
