package io.sirocco.sampling;

import java.util.Arrays;
import java.util.List;

/** Processors that forbid, force or favour single ids by the length of the row. */
final class Bans {
  private Bans() {}

  /** min_length and min_new_tokens: no end while the row has fewer ids than {@code minLength}. */
  record Shortness(int minLength, List<Integer> eosTokenIds) implements ScoreProcessor {
    @Override
    public void apply(int[] ids, int length, float[] scores) {
      if (length < minLength) {
        ban(eosTokenIds, scores);
      }
    }
  }

  /** Forces the id that follows a row of a given length: forced_bos and forced_eos_token_id. */
  record Forced(int atLength, List<Integer> forced) implements ScoreProcessor {
    @Override
    public void apply(int[] ids, int length, float[] scores) {
      if (length == atLength) {
        Arrays.fill(scores, Float.NEGATIVE_INFINITY);
        forced.forEach(id -> scores[id] = 0);
      }
    }
  }

  /** suppress_tokens. */
  record Suppressed(List<Integer> suppressed) implements ScoreProcessor {
    @Override
    public void apply(int[] ids, int length, float[] scores) {
      ban(suppressed, scores);
    }
  }

  /** begin_suppress_tokens. */
  record SuppressedAtBegin(int atLength, List<Integer> suppressed) implements ScoreProcessor {
    @Override
    public void apply(int[] ids, int length, float[] scores) {
      if (length == atLength) {
        ban(suppressed, scores);
      }
    }
  }

  /** remove_invalid_values: numbers instead of not-a-number and the infinities. */
  record InvalidValues() implements ScoreProcessor {
    @Override
    public void apply(int[] ids, int length, float[] scores) {
      for (int id = 0; id < scores.length; id++) {
        float score = scores[id];
        scores[id] =
            Float.isNaN(score) ? 0 : Math.max(-Float.MAX_VALUE, Math.min(Float.MAX_VALUE, score));
      }
    }
  }

  /**
   * exponential_decay_length_penalty. An end id that is already at minus infinity becomes not a
   * number: the library's answer, so that greedy decoding ends there and sampling fails.
   *
   * @param startLength ids a row has before the penalty begins, prompt included
   */
  record Decay(int startLength, double factor, List<Integer> eosTokenIds)
      implements ScoreProcessor {
    @Override
    public void apply(int[] ids, int length, float[] scores) {
      if (length <= startLength) {
        return;
      }
      float growth = (float) (StrictMath.pow(factor, length - startLength) - 1);
      eosTokenIds.stream().distinct().forEach(id -> scores[id] += Math.abs(scores[id]) * growth);
    }
  }

  private static void ban(List<Integer> banned, float[] scores) {
    for (int id : banned) {
      if (id >= 0 && id < scores.length) {
        scores[id] = Float.NEGATIVE_INFINITY;
      }
    }
  }
}
