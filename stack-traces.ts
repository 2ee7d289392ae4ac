// Pulumi's SDK has stack traces made by source-map-support. That looks for the map of a program in its file, which has
// none: it was translated in memory, so each error would be on line 1. And it reads the maps of all libraries, a fifth
// of a preview's time. Node itself knows the lines.
Reflect.deleteProperty(Error, "prepareStackTrace");
