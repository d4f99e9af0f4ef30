package io.sirocco.adapter;

import java.util.Optional;
import java.util.Set;

/**
 * Modules by target_modules or exclude_modules: a pattern of the whole name, or a list of names and
 * of ends of names behind a dot.
 *
 * @param all whether every linear layer but the heads is meant ({@code all-linear})
 */
record ModuleChoice(boolean all, Optional<ModulePattern> pattern, Set<String> names) {
  static final ModuleChoice ALL_LINEAR = new ModuleChoice(true, Optional.empty(), Set.of());

  ModuleChoice {
    names = Set.copyOf(names);
  }

  static ModuleChoice of(ModulePattern pattern) {
    return new ModuleChoice(false, Optional.of(pattern), Set.of());
  }

  static ModuleChoice of(Set<String> names) {
    return new ModuleChoice(false, Optional.empty(), names);
  }

  /** Of the linear layers. */
  boolean has(ModulePattern.Text module) {
    if (all) {
      return true;
    }
    if (pattern.isPresent()) {
      return pattern.get().matches(module);
    }
    String end = module.name();
    while (!names.contains(end)) {
      int dot = end.indexOf('.');
      if (dot < 0) {
        return false;
      }
      end = end.substring(dot + 1);
    }
    return true;
  }
}
