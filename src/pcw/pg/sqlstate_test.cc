#include "pcw/pg/sqlstate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pcw::pg {
namespace {

TEST(CodeOfSqlstateTest, SpellsAndLimitsOfTheServerAreUnavailable) {
  for (const char* sqlstate :
       {"25006", "25P03", "25P04", "57P01", "57P02", "57P03", "57P05", "58000", "58030", "58P01",
        "53000", "53100", "53200", "53300", "53400", "08006", "08P01"}) {
    EXPECT_EQ(CodeOfSqlstate(sqlstate), ErrorCode::kUnavailable) << sqlstate;
  }
}

TEST(CodeOfSqlstateTest, WhatWeDidWrongStaysOurs) {
  for (const char* sqlstate : {"23514", "25P02", "42601", "XX000"})
    EXPECT_EQ(CodeOfSqlstate(sqlstate), ErrorCode::kInternal) << sqlstate;
}

TEST(CodeOfSqlstateTest, TheOthersHaveTheirOwnReaction) {
  EXPECT_EQ(CodeOfSqlstate("57014"), ErrorCode::kTimeout);
  EXPECT_EQ(CodeOfSqlstate("42501"), ErrorCode::kPermissionDenied);
  EXPECT_EQ(CodeOfSqlstate("28P01"), ErrorCode::kUnauthenticated);
  EXPECT_EQ(CodeOfSqlstate("40001"), ErrorCode::kConflict);
  EXPECT_EQ(CodeOfSqlstate("26000"), ErrorCode::kConfig);
  EXPECT_EQ(CodeOfSqlstate("22021"), ErrorCode::kInvalidRequest);
}

TEST(ReadRefusedLoginTest, TooManyConnectionsForARoleIsNoRefusedPassword) {
  const RefusedLogin refused = ReadRefusedLogin(
      "connection to server at \"10.0.0.1\", port 5432 failed: FATAL:  53300: too many connections "
      "for role \"pcw\"\nLOCATION:  InitializeSessionUserId, miscinit.c:861\n");

  EXPECT_EQ(refused.code, ErrorCode::kUnavailable);
  EXPECT_EQ(refused.sqlstate, "53300");
  EXPECT_EQ(refused.text,
            "connection to server at \"10.0.0.1\", port 5432 failed: FATAL:  too many connections "
            "for role \"pcw\"");
}

TEST(ReadRefusedLoginTest, AWrongPasswordIsOneInEveryLanguage) {
  const RefusedLogin refused = ReadRefusedLogin(
      "FATAL:  28P01: Passwort-Authentifizierung f\u00fcr Benutzer fehlgeschlagen");

  EXPECT_EQ(refused.code, ErrorCode::kUnauthenticated);
}

TEST(ReadRefusedLoginTest, APoolerSaysItInWordsAlone) {
  EXPECT_EQ(ReadRefusedLogin("FATAL:  08P01: password authentication failed").code,
            ErrorCode::kUnauthenticated);
  EXPECT_EQ(ReadRefusedLogin("FATAL:  08P01: pgbouncer cannot connect to server").code,
            ErrorCode::kUnavailable);
}

TEST(ReadRefusedLoginTest, WithoutAnAnswerItIsTheNetwork) {
  const RefusedLogin refused = ReadRefusedLogin(
      "connection to server on socket \"/run/x/.s.PGSQL.5432\" failed: No such file or directory\n"
      "\tIs the server running locally and accepting connections on that socket?\n");

  EXPECT_EQ(refused.code, ErrorCode::kUnavailable);
  EXPECT_EQ(refused.sqlstate, "");
}

TEST(ReadRefusedLoginTest, AClusterThatStartsIsWaitedFor) {
  EXPECT_EQ(ReadRefusedLogin("FATAL:  57P03: the database system is starting up").code,
            ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace pcw::pg
