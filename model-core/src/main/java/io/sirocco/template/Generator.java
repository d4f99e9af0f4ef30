package io.sirocco.template;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** What {@code selectattr} gives: elements found as they are asked for, and only once. */
final class Generator implements Value, Iterator<Value> {
  private final Supplier<Iterator<Value>> opening;
  private final Predicate<Value> condition;
  private final Origin origin;
  private Optional<Iterator<Value>> source = Optional.empty();
  private Optional<Value> next = Optional.empty();

  /** {@code opening} gives the elements to choose from when the first is asked for. */
  Generator(Supplier<Iterator<Value>> opening, Predicate<Value> condition, Origin origin) {
    this.opening = opening;
    this.condition = condition;
    this.origin = origin;
  }

  @Override
  public boolean hasNext() {
    Iterator<Value> elements = source.orElseGet(opening);
    source = Optional.of(elements);
    while (next.isEmpty() && elements.hasNext()) {
      next = Optional.of(elements.next()).filter(condition);
    }
    return next.isPresent();
  }

  @Override
  public Value next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    Value found = next.orElseThrow();
    next = Optional.empty();
    return found;
  }

  @Override
  public Origin origin() {
    return origin;
  }

  @Override
  public String type() {
    return "generator";
  }
}
