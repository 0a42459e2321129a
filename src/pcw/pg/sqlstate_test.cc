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

TEST(CodeOfSqlstateTest, AStatementThatTookTooLongIsATimeout) {
  EXPECT_EQ(CodeOfSqlstate("57014"), ErrorCode::kTimeout) << "and not the shutdown of 57P01";
}

TEST(CodeOfSqlstateTest, LocksAndRacesAreConflictsThatMayBeRepeated) {
  for (const char* sqlstate : {"23505", "40001", "40P01", "55P03"})
    EXPECT_EQ(CodeOfSqlstate(sqlstate), ErrorCode::kConflict) << sqlstate;
}

TEST(CodeOfSqlstateTest, OtherConstraintsAreNotConflicts) {
  for (const char* sqlstate : {"23502", "23503", "40003", "55006"})
    EXPECT_EQ(CodeOfSqlstate(sqlstate), ErrorCode::kInternal) << sqlstate;
}

TEST(CodeOfSqlstateTest, EveryRefusedLoginIsUnauthenticated) {
  EXPECT_EQ(CodeOfSqlstate("28000"), ErrorCode::kUnauthenticated);
}

TEST(CodeOfSqlstateTest, AValueOutOfRangeIsNotATextThatNoColumnHolds) {
  EXPECT_EQ(CodeOfSqlstate("22003"), ErrorCode::kInternal);
  EXPECT_EQ(CodeOfSqlstate("22P05"), ErrorCode::kInvalidRequest);
}

TEST(CodeOfSqlstateTest, ASyntaxErrorIsAMistakeOfOurs) {
  EXPECT_EQ(CodeOfSqlstate("42601"), ErrorCode::kInternal);
  EXPECT_EQ(CodeOfSqlstate(""), ErrorCode::kInternal);
}

TEST(IsForgottenStatementTest, AStatementThatIsNotThereOrThereAlready) {
  EXPECT_TRUE(IsForgottenStatement("26000"));
  EXPECT_TRUE(IsForgottenStatement("42P05"));
}

TEST(IsForgottenStatementTest, ACursorThatIsNotThereIsNone) {
  EXPECT_FALSE(IsForgottenStatement("34000"));
  EXPECT_FALSE(IsForgottenStatement("42P03"));
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

TEST(ReadRefusedLoginTest, ADatabaseThatIsNotThereYetIsWaitedFor) {
  const RefusedLogin refused = ReadRefusedLogin("FATAL:  3D000: database \"pcw\" does not exist");
  EXPECT_EQ(refused.code, ErrorCode::kUnavailable);
  EXPECT_EQ(refused.sqlstate, "3D000");
}

TEST(ReadRefusedLoginTest, LinesAreJoinedAndThePlaceInTheServersSourceIsLeftOut) {
  const RefusedLogin refused = ReadRefusedLogin(
      "FATAL:  57P03: the database system is starting up\nDETAIL:  soon\n\n"
      "LOCATION:  ProcessStartupPacket, postmaster.c:2408\n");
  EXPECT_EQ(refused.text, "FATAL:  the database system is starting up DETAIL:  soon");
}

TEST(ReadRefusedLoginTest, WithoutASqlstateNothingIsTakenForThePlaceInASource) {
  EXPECT_EQ(ReadRefusedLogin("cannot read /etc/x.c: denied").text, "cannot read /etc/x.c: denied");
}

TEST(ReadRefusedLoginTest, FiveCharactersAreASqlstateOnlyInItsForm) {
  EXPECT_EQ(ReadRefusedLogin("FATAL:  28p01: small letters").sqlstate, "");
  EXPECT_EQ(ReadRefusedLogin("FATAL:  28P01 no colon").sqlstate, "");
  EXPECT_EQ(ReadRefusedLogin("FATAL:  28P01").sqlstate, "");
}

TEST(ReadRefusedLoginTest, EveryWordOfARefusedLoginIsOne) {
  for (const char* words : {"fe_sendauth: no password supplied", "no such user: pcw",
                            "no pg_hba.conf entry for host", "password authentication failed"})
    EXPECT_EQ(ReadRefusedLogin(words).code, ErrorCode::kUnauthenticated) << words;
}

TEST(ReadRefusedLoginTest, AServersOwnCodeIsBelievedBeforeItsWords) {
  EXPECT_EQ(ReadRefusedLogin("FATAL:  53300: no such user left to refuse").code,
            ErrorCode::kUnavailable);
}

TEST(ReadRefusedLoginTest, NoWordsAreTheNetwork) {
  EXPECT_EQ(ReadRefusedLogin("").code, ErrorCode::kUnavailable);
  EXPECT_EQ(ReadRefusedLogin("").text, "");
}

TEST(ReadRefusedLoginTest, AClusterThatStartsIsWaitedFor) {
  EXPECT_EQ(ReadRefusedLogin("FATAL:  57P03: the database system is starting up").code,
            ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace pcw::pg
