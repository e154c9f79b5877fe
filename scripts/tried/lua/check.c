#include <lauxlib.h>
#include <lualib.h>

int main(void) {
    lua_State *state = luaL_newstate();
    luaL_openlibs(state);
    int failed = luaL_dostring(state, "print(_VERSION, ('x'):rep(3), 6 * 7 // 1)");
    lua_close(state);
    return failed;
}
