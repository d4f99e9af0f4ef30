package io.sirocco.template;

import java.util.Arrays;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The words of the language, beside those of {@link Filter}, {@link TypeTest} and {@link Loop}. */
final class Names {
  static final String LOOP = "loop";
  static final String NAMESPACE = "namespace";
  static final String RAISE = "raise_exception";
  static final Set<String> FUNCTIONS = Set.of(NAMESPACE, RAISE);

  /** Of Jinja and transformers, and not here: as variables they would be undefined by mistake. */
  static final Set<String> UNKNOWN_FUNCTIONS =
      Set.of("range", "dict", "lipsum", "cycler", "joiner", "strftime_now", "self");

  static final Set<String> OPERATORS = Set.of("and", "or", "not", "in", "is", "if", "else");
  static final Set<String> CONSTANTS = Set.of("true", "false", "none", "True", "False", "None");

  private Names() {}

  /** The value of an enum with that word. */
  static <E extends Enum<E>> Optional<E> find(E[] values, Function<E, String> word, String name) {
    return Arrays.stream(values).filter(value -> word.apply(value).equals(name)).findFirst();
  }

  /** All words of an enum, for errors. */
  static <E extends Enum<E>> String known(E[] values, Function<E, String> word) {
    return Arrays.stream(values).map(word).collect(Collectors.joining(", "));
  }
}
