#include "pcw/dlq/dead_letter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/base/storable_text.h"

namespace pcw::dlq {
namespace {

DeadLetter Made(const Error& error) { return MakeDeadLetter(error, Stage::kMap, "O1"); }

TEST(MakeDeadLetterTest, SaysWhatFailedWhereAndWhy) {
  const DeadLetter letter =
      MakeDeadLetter(Error(ErrorCode::kNotFound, "no such record"), Stage::kFetch, "O1");
  EXPECT_EQ(letter.record_key, "O1");
  EXPECT_EQ(letter.stage, Stage::kFetch);
  EXPECT_EQ(letter.error_code, "not_found");
  EXPECT_EQ(letter.error, "no such record");
}

TEST(MakeDeadLetterTest, IsOpenAndTriedOnce) {
  const DeadLetter letter = Made(Error(ErrorCode::kNotFound, "x"));
  EXPECT_EQ(letter.state, "open");
  EXPECT_EQ(letter.attempts, 1);
  EXPECT_FALSE(letter.is_replay);
}

TEST(MakeDeadLetterTest, TheContextIsAnObjectInItsOrder) {
  const DeadLetter letter =
      Made(Error(ErrorCode::kSchemaMismatch, "x").With("pointer", "/Id").With("found", "number"));
  EXPECT_EQ(letter.error_context_json, R"({"pointer":"/Id","found":"number"})");
}

TEST(MakeDeadLetterTest, WithoutContextItIsAnEmptyObject) {
  EXPECT_EQ(Made(Error(ErrorCode::kSchemaMismatch, "x")).error_context_json, "{}");
}

TEST(MakeDeadLetterTest, ALongErrorIsCut) {
  const DeadLetter letter = Made(Error(ErrorCode::kInternal, std::string(1'000'000, 'x')));
  EXPECT_LE(letter.error.size(), kMostErrorBytes + 16);
}

TEST(MakeDeadLetterTest, WhatTheServerDoesNotTakeIsEscaped) {
  const DeadLetter letter = Made(
      Error(ErrorCode::kInternal, std::string("a\0b", 3)).With("found", std::string("c\0d", 3)));
  EXPECT_EQ(letter.error.find('\0'), std::string::npos);
  EXPECT_EQ(letter.error_context_json.find("\\u0000"), std::string::npos);
}

TEST(MakeDeadLetterTest, LineBreaksOfTheErrorAreKept) {
  EXPECT_EQ(Made(Error(ErrorCode::kInternal, "a\nb")).error, "a\nb");
}

TEST(MakeDeadLetterTest, TheKeyIsOneThatTheIndexTakes) {
  const DeadLetter letter =
      MakeDeadLetter(Error(ErrorCode::kInternal, "x"), Stage::kMap, std::string(9'000, 'x'));
  EXPECT_LT(letter.record_key.size(), 300U);
}

TEST(NameOfStageTest, EveryStageHasTheNameThatTheTableKeeps) {
  EXPECT_EQ(NameOf(Stage::kFetch), "fetch");
  EXPECT_EQ(NameOf(Stage::kMap), "map");
  EXPECT_EQ(NameOf(Stage::kEvent), "event");
}

}  // namespace
}  // namespace pcw::dlq
