package io.sirocco.template;

import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;

/** A part of a template, executed for what it writes and sets. */
sealed interface Statement {
  void execute(Scope scope);

  static void executeAll(List<Statement> statements, Scope scope) {
    for (Statement statement : statements) {
      statement.execute(scope);
    }
  }

  /** Text between tags. */
  record Data(Position at, Text text) implements Statement {
    @Override
    public void execute(Scope scope) {
      scope.run().step(at);
      scope.run().output().append(text);
    }
  }

  record Print(Position at, Expression value) implements Statement {
    @Override
    public void execute(Scope scope) {
      Value result = value.evaluate(scope);
      scope.run().step(at);
      scope.run().output().append(PythonText.of(result, scope.run()));
    }
  }

  /** One condition of an {@code if} and what follows from it. */
  record Branch(Expression condition, List<Statement> body) {}

  record If(Position at, List<Branch> branches, List<Statement> otherwise) implements Statement {
    @Override
    public void execute(Scope scope) {
      scope.run().step(at);
      for (Branch branch : branches) {
        if (Truth.of(branch.condition().evaluate(scope))) {
          executeAll(branch.body(), scope);
          return;
        }
      }
      executeAll(otherwise, scope);
    }
  }

  record SetName(Position at, String name, Expression value) implements Statement {
    @Override
    public void execute(Scope scope) {
      Value result = value.evaluate(scope);
      scope.run().step(at);
      scope.set(name, result);
    }
  }

  /** {@code set namespace.attribute = value}. */
  record SetAttribute(Position at, String namespace, String attribute, Expression value)
      implements Statement {
    @Override
    public void execute(Scope scope) {
      Value result = value.evaluate(scope);
      scope.run().step(at);
      Value target = scope.get(namespace);
      if (!(target instanceof Namespace variables)) {
        throw scope
            .run()
            .failure("cannot set an attribute of " + Operators.described(target) + " " + namespace);
      }
      variables.set(attribute, result);
    }
  }

  /** The head of a {@code for}: its variables, what it goes over, and which elements it takes. */
  record ForHead(List<String> targets, Expression source, Optional<Expression> condition) {}

  record For(Position at, ForHead head, List<Statement> body) implements Statement {
    @Override
    public void execute(Scope scope) {
      Value source = head.source().evaluate(scope);
      scope.run().step(at);
      Iterator<Value> values = Access.iterate(source, scope.run());
      Loop loop = new Loop(new Elements(this, values, scope));
      while (loop.hasNext()) {
        executeAll(body, loop.next());
      }
    }

    /** A scope for {@code element}, if the loop's condition accepts it. */
    private Optional<Scope> accept(Value element, Scope outer) {
      outer.run().step(at);
      outer.run().charge(Limits.SCOPE);
      Scope scope = outer.inner();
      assign(element, scope);
      boolean taken =
          head.condition().map(condition -> Truth.of(condition.evaluate(scope))).orElse(true);
      return taken ? Optional.of(scope) : Optional.empty();
    }

    private void assign(Value element, Scope scope) {
      List<String> targets = head.targets();
      if (targets.size() == 1) {
        scope.set(targets.get(0), element);
        return;
      }
      Iterator<Value> parts = Access.iterate(element, scope.run());
      for (String target : targets) {
        if (!parts.hasNext()) {
          throw tooManyOrFew(scope.run());
        }
        scope.set(target, parts.next());
      }
      if (parts.hasNext()) {
        throw tooManyOrFew(scope.run());
      }
    }

    private TemplateException tooManyOrFew(Run run) {
      return run.failure(
          "an element does not have " + head.targets().size() + " parts for " + head.targets());
    }
  }

  /**
   * A loop's accepted elements, looked for as late as Jinja does: the body may change what counts.
   */
  final class Elements implements Iterator<Scope> {
    private final For loop;
    private final Iterator<Value> values;
    private final Scope outer;
    private Optional<Scope> next = Optional.empty();

    Elements(For loop, Iterator<Value> values, Scope outer) {
      this.loop = loop;
      this.values = values;
      this.outer = outer;
    }

    @Override
    public boolean hasNext() {
      while (next.isEmpty() && values.hasNext()) {
        next = loop.accept(values.next(), outer);
      }
      return next.isPresent();
    }

    @Override
    public Scope next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      Scope found = next.orElseThrow();
      next = Optional.empty();
      return found;
    }
  }
}
