package io.sirocco.sampling;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** What settings must be beside the others: those of sampling, of beams, of several returns. */
record SettingRules(GenerationSettings settings) {

  void check() {
    if (settings.doSample()) {
      checkSampling();
    }
    checkReturns();
    if (settings.get(GenerationKey.EXPONENTIAL_DECAY_LENGTH_PENALTY).isPresent()) {
      checkDecay();
    }
  }

  private void checkSampling() {
    require(
        GenerationKey.TEMPERATURE,
        value -> value > 0,
        "a number above 0; for greedy decoding set do_sample to false");
    require(GenerationKey.TOP_K, value -> value >= 0, "an integer of 0 (off) or more");
    require(GenerationKey.TOP_P, value -> value >= 0 && value <= 1, "a number from 0 to 1");
    require(GenerationKey.MIN_P, value -> value >= 0 && value <= 1, "a number from 0 to 1");
    require(
        GenerationKey.TYPICAL_P, value -> value > 0 && value <= 1, "a number above 0, at most 1");
    require(
        GenerationKey.EPSILON_CUTOFF,
        value -> value >= 0 && value < 1,
        "a number from 0 (off) to below 1");
    require(
        GenerationKey.ETA_CUTOFF,
        value -> value >= 0 && value < 1,
        "a number from 0 (off) to below 1");
  }

  private void checkReturns() {
    int returns = settings.samples();
    GenerationKey<Integer> key = settings.samplesKey();
    if (settings.numBeams() > 1 && returns > settings.numBeams()) {
      throw problem(key, "at most num_beams, which is " + settings.numBeams());
    }
    if (settings.numBeams() == 1 && !settings.doSample() && returns > 1) {
      throw problem(
          key, "1: greedy decoding has one answer; for several set do_sample or num_beams");
    }
  }

  /** The library fails on it in its own way. */
  private void checkDecay() {
    if (settings.eosTokenIds().isEmpty()) {
      throw problem(
          GenerationKey.EXPONENTIAL_DECAY_LENGTH_PENALTY,
          "none where no eos_token_id ends a row (eos_token_id is not set, or ignore_eos is)");
    }
    if (settings.eosTokenIds().stream().anyMatch(id -> id < 0)) {
      throw problem(
          GenerationKey.EOS_TOKEN_ID, "ids of 0 or more with exponential_decay_length_penalty");
    }
  }

  private <T> void require(GenerationKey<T> key, Predicate<T> allowed, String expected) {
    settings
        .get(key)
        .filter(allowed.negate())
        .ifPresent(
            value -> {
              throw problem(key, expected + " while do_sample is true");
            });
  }

  private InvalidSettingException problem(GenerationKey<?> key, String expected) {
    Object found = settings.get(key).map(Object::toString).orElse("not set");
    return new InvalidSettingException(
        key.name(), found + " (from " + settings.origin(key) + ")", expected);
  }

  /** Given settings that have no effect beside the others, as sentences. */
  List<String> withoutEffect() {
    List<String> sentences = new ArrayList<>();
    if (!settings.doSample()) {
      List.of(
              GenerationKey.TEMPERATURE,
              GenerationKey.TOP_K,
              GenerationKey.TOP_P,
              GenerationKey.MIN_P,
              GenerationKey.TYPICAL_P,
              GenerationKey.EPSILON_CUTOFF,
              GenerationKey.ETA_CUTOFF)
          .forEach(key -> unlessNeutral(key, "do_sample is false", sentences));
    }
    if (settings.numBeams() == 1) {
      List.of(GenerationKey.LENGTH_PENALTY, GenerationKey.EARLY_STOPPING)
          .forEach(key -> unlessNeutral(key, "num_beams is 1", sentences));
    }
    overridden(GenerationKey.MAX_LENGTH, GenerationKey.MAX_NEW_TOKENS, sentences);
    overridden(GenerationKey.MIN_LENGTH, GenerationKey.MIN_NEW_TOKENS, sentences);
    if (settings.samplesKey() == GenerationKey.N) {
      overridden(GenerationKey.NUM_RETURN_SEQUENCES, GenerationKey.N, sentences);
    }
    return sentences;
  }

  private void unlessNeutral(GenerationKey<?> key, String because, List<String> sentences) {
    if (isGiven(key) && !settings.get(key).equals(key.fallback())) {
      sentences.add(said(key) + " has no effect: " + because);
    }
  }

  private void overridden(GenerationKey<?> key, GenerationKey<?> by, List<String> sentences) {
    if (isGiven(key) && settings.get(by).isPresent()) {
      sentences.add(said(key) + " has no effect: " + said(by) + " takes precedence");
    }
  }

  private boolean isGiven(GenerationKey<?> key) {
    return settings.get(key).isPresent() && settings.origin(key) != Origin.DEFAULT;
  }

  private String said(GenerationKey<?> key) {
    return key.name()
        + " "
        + settings.get(key).map(InvalidSettingException::shown).orElse("")
        + " from "
        + settings.origin(key);
  }
}
