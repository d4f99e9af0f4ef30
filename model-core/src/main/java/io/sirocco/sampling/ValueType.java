package io.sirocco.sampling;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.DoublePredicate;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * What values a setting takes.
 *
 * @param expected said when another is found
 * @param reader the value of a JSON node, if the node has this type
 * @param allowed whether a value of this type may be used
 */
record ValueType<T>(String expected, Function<JsonNode, Optional<T>> reader, Predicate<T> allowed) {

  /** Bounds of what a configuration can make us hold. */
  private static final int MOST_ENTRIES = 100_000;

  /** A beam search takes that many times its beams as candidates. */
  private static final int MOST_END_IDS = 1024;

  private static final int MOST_STOP_STRINGS = 10_000;
  private static final int MOST_STOP_BYTES = 1 << 18;

  static ValueType<Integer> integer(int least, int most) {
    return new ValueType<>(
        "an integer from " + least + " to " + most,
        ValueType::readInteger,
        value -> value >= least && value <= most);
  }

  static ValueType<Integer> anyInteger() {
    return new ValueType<>("an integer", ValueType::readInteger, value -> true);
  }

  static ValueType<Long> longInteger() {
    return new ValueType<>(
        "an integer of 64 bits",
        node ->
            node.isIntegralNumber() && node.canConvertToLong()
                ? Optional.of(node.longValue())
                : Optional.empty(),
        value -> true);
  }

  /** A finite number; integers count as numbers, where the library insists on a float. */
  static ValueType<Double> number(String expected, DoublePredicate allowed) {
    return new ValueType<>(
        expected, ValueType::readNumber, value -> Double.isFinite(value) && allowed.test(value));
  }

  static ValueType<Boolean> flag() {
    return new ValueType<>(
        "true or false",
        node -> node.isBoolean() ? Optional.of(node.booleanValue()) : Optional.empty(),
        value -> true);
  }

  static ValueType<EarlyStopping> earlyStopping() {
    return new ValueType<>(
        "true, false or \"never\"",
        node -> {
          if (node.isBoolean()) {
            return Optional.of(
                node.booleanValue() ? EarlyStopping.WHEN_FULL : EarlyStopping.HEURISTIC);
          }
          return node.isTextual() && node.textValue().equals("never")
              ? Optional.of(EarlyStopping.NEVER)
              : Optional.empty();
        },
        value -> true);
  }

  /** One id or a list of ids; an empty list says that there is none. */
  static ValueType<List<Integer>> endIds() {
    return new ValueType<>(
        "a token id or a list of at most " + MOST_END_IDS,
        node -> node.isArray() ? readIds(node) : readInteger(node).map(List::of),
        ids -> ids.size() <= MOST_END_IDS);
  }

  static ValueType<List<Integer>> ids() {
    return new ValueType<>("a list of token ids", ValueType::readIds, ValueType::areIds);
  }

  static ValueType<List<Integer>> oneOrMoreIds() {
    return new ValueType<>(
        "a token id or a non-empty list of them",
        endIds().reader(),
        ids -> !ids.isEmpty() && areIds(ids));
  }

  static ValueType<List<List<Integer>>> sequences() {
    return new ValueType<>(
        "a non-empty list of non-empty lists of token ids",
        node -> readList(node, ValueType::readIds),
        words ->
            !words.isEmpty() && words.stream().allMatch(word -> !word.isEmpty() && areIds(word)));
  }

  /** The library takes any id in its dictionary form, but refuses id 0 in this one. */
  static ValueType<List<SequenceBias>> biases() {
    return new ValueType<>(
        "a non-empty list of pairs of a non-empty list of token ids above 0 and a number",
        node -> readList(node, ValueType::readBias),
        biases -> !biases.isEmpty() && biases.stream().allMatch(ValueType::isBias));
  }

  static ValueType<LengthDecay> decay() {
    return new ValueType<>(
        "a pair of an integer of 0 or more and a number above 0",
        node ->
            node.isArray() && node.size() == 2
                ? readInteger(node.get(0))
                    .flatMap(at -> readNumber(node.get(1)).map(by -> new LengthDecay(at, by)))
                : Optional.empty(),
        decay ->
            decay.start() >= 0
                && decay.start() <= GenerationKey.MOST_TOKENS
                && decay.factor() > 0
                && Double.isFinite(decay.factor()));
  }

  /** One string or a list of them. */
  static ValueType<List<String>> strings() {
    Function<JsonNode, Optional<String>> text =
        node -> node.isTextual() ? Optional.of(node.textValue()) : Optional.empty();
    return new ValueType<>(
        "a list of at most "
            + MOST_STOP_STRINGS
            + " non-empty strings of Unicode text, "
            + MOST_STOP_BYTES
            + " bytes in all",
        node -> node.isArray() ? readList(node, text) : text.apply(node).map(List::of),
        ValueType::areStopStrings);
  }

  private static boolean areIds(List<Integer> ids) {
    return ids.size() <= MOST_ENTRIES && ids.stream().allMatch(id -> id >= 0);
  }

  private static boolean isBias(SequenceBias bias) {
    return !bias.ids().isEmpty()
        && bias.ids().stream().allMatch(id -> id > 0)
        && !Double.isNaN(bias.bias());
  }

  private static boolean areStopStrings(List<String> strings) {
    long bytes = 0;
    for (String string : strings) {
      int length = utf8Length(string);
      if (length <= 0) {
        return false;
      }
      bytes += length;
    }
    return strings.size() <= MOST_STOP_STRINGS && bytes <= MOST_STOP_BYTES;
  }

  /** -1 for what is not text: half of a surrogate pair. */
  private static int utf8Length(String string) {
    try {
      return StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(string)).remaining();
    } catch (CharacterCodingException e) {
      return -1;
    }
  }

  private static Optional<Integer> readInteger(JsonNode node) {
    return node.isIntegralNumber() && node.canConvertToInt()
        ? Optional.of(node.intValue())
        : Optional.empty();
  }

  private static Optional<Double> readNumber(JsonNode node) {
    return node.isNumber() ? Optional.of(node.doubleValue()) : Optional.empty();
  }

  private static Optional<SequenceBias> readBias(JsonNode node) {
    if (!node.isArray() || node.size() != 2) {
      return Optional.empty();
    }
    return readIds(node.get(0))
        .flatMap(ids -> readNumber(node.get(1)).map(bias -> new SequenceBias(ids, bias)));
  }

  private static Optional<List<Integer>> readIds(JsonNode node) {
    return readList(node, ValueType::readInteger);
  }

  private static <E> Optional<List<E>> readList(
      JsonNode node, Function<JsonNode, Optional<E>> element) {
    if (!node.isArray() || node.size() > MOST_ENTRIES) {
      return Optional.empty();
    }
    List<E> values = new ArrayList<>();
    for (JsonNode entry : node) {
      Optional<E> value = element.apply(entry);
      if (value.isEmpty()) {
        return Optional.empty();
      }
      values.add(value.get());
    }
    return Optional.of(List.copyOf(values));
  }
}
