package io.sirocco.spark.store;

import java.io.Serializable;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;

/** Where an executor finds the model's folder. */
public sealed interface ModelSource extends Serializable {

  /**
   * The folder on this host, brought here if need be; the caller closes it when the files are no
   * longer mapped.
   *
   * @throws io.sirocco.checkpoint.ModelException if it cannot be brought here
   */
  LocalModel open();

  /** A folder that every host has under the same path, used in place. */
  static ModelSource local(String path) {
    return new Local(path);
  }

  /** A folder elsewhere, copied to each host that needs it, with the settings to reach it. */
  static ModelSource remote(ModelManifest manifest, Configuration hadoop) {
    return new Remote(manifest, HadoopSettings.of(hadoop));
  }

  /** A model with adapters, each wherever it is, by their names. */
  static ModelSource withAdapters(ModelSource model, SortedMap<String, ModelSource> adapters) {
    return adapters.isEmpty() ? model : new Adapted(model, adapters);
  }

  /**
   * A model with adapters.
   *
   * @param adapters by their names
   */
  record Adapted(ModelSource model, SortedMap<String, ModelSource> adapters)
      implements ModelSource {
    public Adapted {
      Objects.requireNonNull(model, "model");
      adapters = Collections.unmodifiableSortedMap(new TreeMap<>(adapters));
    }

    @Override
    public LocalModel open() {
      Map<String, LocalModel> opened = new TreeMap<>();
      boolean complete = false;
      LocalModel base = model.open();
      try {
        adapters.forEach((name, adapter) -> opened.put(name, adapter.open()));
        complete = true;
        return base.with(opened);
      } finally {
        if (!complete) {
          opened.values().forEach(LocalModel::close);
          base.close();
        }
      }
    }
  }

  /**
   * A folder of this host.
   *
   * @param path of the folder
   */
  record Local(String path) implements ModelSource {
    public Local {
      Objects.requireNonNull(path, "path");
    }

    @Override
    public LocalModel open() {
      return LocalModel.inPlace(path);
    }
  }

  /**
   * A folder elsewhere.
   *
   * @param manifest of the model that the driver has planned with
   * @param hadoop the driver's settings
   */
  record Remote(ModelManifest manifest, HadoopSettings hadoop) implements ModelSource {
    public Remote {
      Objects.requireNonNull(manifest, "manifest");
      Objects.requireNonNull(hadoop, "hadoop");
    }

    @Override
    public LocalModel open() {
      return NodeCache.open(CacheSettings.here()).acquire(manifest, hadoop.configuration());
    }
  }
}
